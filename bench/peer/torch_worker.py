# SPDX-License-Identifier: MIT
"""PyTorch on all cores. Its outputs are allocated by each call, so the driver's environment makes
glibc keep freed memory: no page is faulted in again."""

import ctypes
import sys

import torch
import torch.nn.functional as F

import worker

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def tensor(array, dtype):
    """Without a copy; numpy has no bfloat16 that PyTorch knows."""
    with torch.inference_mode(False):  # else autograd could not keep it
        if DTYPES[dtype] is torch.bfloat16:
            return torch.from_numpy(array.view("int16")).view(torch.bfloat16)
        return torch.from_numpy(array)


def array(value):
    value = value.detach()
    return value.view(torch.int16).numpy().view(worker.DTYPES["bf16"]) \
        if value.dtype is torch.bfloat16 else value.numpy()


class Peer:
    def __init__(self):
        self.release()

    def versions(self):
        return {"torch": torch.__version__, "threads": torch.get_num_threads()}

    def release(self):
        self.run = self.results = self.case = None
        ctypes.CDLL(None).malloc_trim(0)  # what the environment made glibc keep

    def prepare(self, case):
        key = (case.op, case.direction, case.extra)
        if key not in FORMS:
            raise worker.Lacks("no fused form of it")
        dtype = {name: case.words["in." + name].split(":")[0] for name in case.inputs}
        inputs = {name: tensor(value, dtype[name]) for name, value in case.inputs.items()}
        self.case = case
        self.run = FORMS[key](case, inputs)

    def call(self):
        self.results = None  # its memory is what the next result takes
        self.results = self.run()

    def finish(self):
        pass

    def outputs(self):
        return dict(zip(self.case.outputs, map(array, self.results)))


def layer_norm(case, t):
    shape = (case.cols,)
    return lambda: (F.layer_norm(t["x"], shape, t["weight"], t["bias"], case.eps),)


def rms_norm(case, t):
    shape = (case.cols,)
    return lambda: (F.rms_norm(t["x"], shape, t["weight"], case.eps),)


def layer_norm_backward(case, t):
    kind = t["weight"].dtype  # PyTorch keeps them in that of the weight
    mean, rstd = (t[name].reshape(case.rows, 1).to(kind) for name in ("mean", "rstd"))
    return lambda: torch.ops.aten.native_layer_norm_backward(
        t["dy"], t["x"], (case.cols,), mean, rstd, t["weight"], t["bias"], [True, True, True])


def rms_norm_backward(case, t):
    """There is no kernel for it: what autograd makes of the formula, without the forward pass."""
    with torch.inference_mode(False), torch.enable_grad():
        wanted = [t[name].detach().requires_grad_() for name in ("x", "weight")]
        y = F.rms_norm(wanted[0], (case.cols,), wanted[1], case.eps)
    return lambda: torch.autograd.grad(y, wanted, t["dy"], retain_graph=True)


def residual(case, t):
    total = torch.empty_like(t["x"])

    def run():
        torch.add(t["x"], t["residual"], out=total)
        return (F.layer_norm(total, (case.cols,), t["weight"], t["bias"], case.eps), total)
    return run


def adaptive(case, t):
    groups = t["scale"].shape[0]
    x = t["x"].view(groups, case.rows // groups, case.cols)
    shift = t["shift"].unsqueeze(1)

    def run():
        y = F.layer_norm(x, (case.cols,), eps=case.eps)
        return (torch.addcmul(shift, y, t["scale"].unsqueeze(1) + 1, out=y),)
    return run


FORMS = {
    ("layer_norm", "forward", "-"): layer_norm,
    ("rms_norm", "forward", "-"): rms_norm,
    ("layer_norm", "backward", "-"): layer_norm_backward,
    ("rms_norm", "backward", "-"): rms_norm_backward,
    ("layer_norm", "forward", "residual"): residual,
    ("layer_norm", "forward", "adaptive"): adaptive,
}

if __name__ == "__main__":
    with torch.inference_mode():
        sys.exit(worker.serve(Peer()))
