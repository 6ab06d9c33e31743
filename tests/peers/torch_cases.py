# SPDX-License-Identifier: MIT
"""Layers of PyTorch in double, and gradients by its autograd.

Each function of a case takes tensors of clnorm's shapes, so that the gradients have them too."""

import torch
import torch.nn.functional as F

from record import Case, Numbers

NAMES_OF_OUTPUTS = {"y": "dy", "sum": "dsum"}


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def array(t):
    return t.detach().numpy()


def gradients(outputs, inputs, numbers, dsum):
    """Cotangents of y (and of sum), and what autograd makes of them."""
    names = [n for n in NAMES_OF_OUTPUTS if n in outputs and (n == "y" or dsum)]
    given = {NAMES_OF_OUTPUTS[n]: tensor(numbers.fill(*outputs[n].shape)) for n in names}
    leaves = {n: t for n, t in inputs.items() if t.requires_grad}
    found = torch.autograd.grad([outputs[n] for n in names], list(leaves.values()),
                                list(given.values()))
    return given, {"d" + n: array(g) for n, g in zip(leaves, found)}


def case(name, kind, rows, cols, function, shapes, dsum=True, saved=True, from_sum=False, edit=None,
         **desc):
    """shapes: those of the inputs besides x. saved: the backward pass gets mean and rstd too."""
    numbers = Numbers(sum(map(ord, name)))
    inputs = {"x": tensor(numbers.fill(rows, cols))}
    inputs |= {n: tensor(numbers.fill(*s)) for n, s in shapes.items()}
    if edit:
        edit(inputs)
    for t in inputs.values():
        t.requires_grad_()
    outputs = function(**inputs)
    given, found = gradients(outputs, inputs, numbers, dsum)
    result = Case("torch." + name, kind, rows, cols, **desc)
    result.give(**{n: array(t) for n, t in inputs.items()})
    result.expect("forward", **{n: array(t) for n, t in outputs.items()})
    statistics = {n: array(outputs[n]) for n in ("mean", "rstd") if saved and n in outputs}
    result.give("backward", **{n: array(t) for n, t in given.items()}, **statistics)
    if from_sum:
        result.give("backward", sum=array(outputs["sum"]))
    result.expect("backward", **found)
    return result


# ---- layer_norm, rms_norm ---------------------------------------------------------------------

def layer_norm(eps, shape=None):
    def function(x, weight=None, bias=None):
        full = shape or (x.shape[1],)
        one = [None if t is None else t.reshape(full) for t in (weight, bias)]
        y, mean, rstd = torch.native_layer_norm(x.reshape(-1, *full), full, *one, eps)
        return {"y": y.reshape(x.shape), "mean": mean.flatten(), "rstd": rstd.flatten()}
    return function


def rms_norm(x, weight=None, eps=1e-6, offset=0.0):
    return F.rms_norm(x, x.shape[-1:], None if weight is None else offset + weight, eps)


def standard(x, weight, bias, ddof, eps, outside):
    """The norm of the annotated transformer, and one with ddof inside of the root."""
    d = x - x.mean(1, keepdim=True)
    v = x.var(1, correction=ddof, keepdim=True)
    rstd = 1 / (v.sqrt() + eps) if outside else (v + eps).rsqrt()
    return {"y": d * rstd * weight + bias, "rstd": rstd.flatten()}


def partial_rms(x, weight, cols):
    rstd = (x[:, :cols].square().mean(1, keepdim=True) + 1e-5).rsqrt()
    return {"y": x * rstd * weight, "rstd": rstd.flatten()}


def grouped_layer_norm(x, weight, bias, groups):
    parts = x.reshape(-1, x.shape[1] // groups)
    y, mean, rstd = torch.native_layer_norm(parts, parts.shape[1:], None, None, 1e-5)
    return {"y": y.reshape(x.shape) * weight + bias, "mean": mean.flatten(), "rstd": rstd.flatten()}


def positive_rstd(inputs):
    inputs["rstd"].abs_()


def large_weights(inputs):
    """What y is divided by: small ones would cost digits that tell nothing."""
    inputs["weight"] += inputs["weight"].sign()


def norm_cases():
    def affine(cols):
        return {"weight": (cols,), "bias": (cols,)}
    yield case("layer_norm", "layer_norm", 3, 7, layer_norm(1e-5), affine(7), eps=1e-5)
    yield case("layer_norm.plain", "layer_norm", 2, 33, layer_norm(0.1), {}, eps=0.1)
    yield case("layer_norm.weight_only", "layer_norm", 3, 10, layer_norm(0.0), {"weight": (10,)},
               saved=False, eps=0.0)
    yield case("layer_norm.two_axes", "layer_norm", 2, 15, layer_norm(1e-5, (3, 5)), affine(15),
               saved=False, eps=1e-5)
    yield case("layer_norm.one_column", "layer_norm", 4, 1, layer_norm(0.25), affine(1), eps=0.25)
    yield case("layer_norm.outside_ddof1", "layer_norm", 3, 9,
               lambda x, weight, bias: standard(x, weight, bias, 1, 0.125, True), affine(9),
               saved=False, eps=0.125, eps_mode=1, ddof=1)
    yield case("layer_norm.outside", "layer_norm", 3, 9,
               lambda x, weight, bias: standard(x, weight, bias, 0, 0.125, True), affine(9),
               saved=False, eps=0.125, eps_mode=1)
    yield case("layer_norm.ddof1", "layer_norm", 3, 9,
               lambda x, weight, bias: standard(x, weight, bias, 1, 0.125, False), affine(9),
               saved=False, eps=0.125, ddof=1)
    yield case("layer_norm.center_only", "layer_norm", 3, 9,
               lambda x, weight, bias: {"y": (x - x.mean(1, keepdim=True)) * weight + bias},
               affine(9), center_only=1)
    yield case("layer_norm.groups", "layer_norm", 3, 12,
               lambda x, weight, bias: grouped_layer_norm(x, weight, bias, 3), affine(12),
               eps=1e-5, groups=3)
    yield case("rms_norm", "rms_norm", 3, 9, lambda x, weight: {"y": rms_norm(x, weight)},
               {"weight": (9,)}, eps=1e-6)
    yield case("rms_norm.plain", "rms_norm", 2, 37, lambda x: {"y": rms_norm(x)}, {}, eps=1e-6)
    yield case("rms_norm.weight_offset", "rms_norm", 3, 9,
               lambda x, weight: {"y": rms_norm(x, weight, offset=1.0)}, {"weight": (9,)},
               eps=1e-6, weight_offset=1.0)
    yield case("rms_norm.partial", "rms_norm", 3, 11,
               lambda x, weight: partial_rms(x, weight, 4), {"weight": (11,)}, saved=False,
               eps=1e-5, stats_cols=4)
    yield case("layer_norm.given_statistics", "layer_norm", 3, 7,
               lambda x, mean, rstd, weight, bias:
               {"y": (x - mean[:, None]) * rstd[:, None] * weight + bias},
               {"mean": (3,), "rstd": (3,), **affine(7)}, edit=positive_rstd, stats=1)
    yield case("rms_norm.given_statistics", "rms_norm", 3, 7,
               lambda x, rstd, weight: {"y": x * rstd[:, None] * weight},
               {"rstd": (3,), "weight": (7,)}, edit=positive_rstd, stats=1)


def from_output_cases():
    """The gradients of the cases above, from y instead of x."""
    for source in (case("layer_norm.from_output", "layer_norm", 3, 7, layer_norm(1e-5),
                        {"weight": (7,), "bias": (7,)}, edit=large_weights, eps=1e-5, backward=1),
                   case("rms_norm.from_output", "rms_norm", 3, 9,
                        lambda x, weight: {"y": rms_norm(x, weight), "rstd":
                                           (x.square().mean(1) + 1e-6).rsqrt()},
                        {"weight": (9,)}, edit=large_weights, eps=1e-6, backward=1)):
        x = [t for t in source.parts[""] if t[1] == "x"]
        source.parts[""] = [t for t in source.parts[""] if t[1] != "x"]
        source.parts["forward"] = x + source.parts["forward"]
        source.parts["backward"] = [t for t in source.parts["backward"] if t[1] != "mean"]
        source.give("backward", y=[t[2] for t in source.parts["forward"] if t[1] == "y"][0])
        yield source


# ---- residual, modulation, gates --------------------------------------------------------------

def mods(t, x, rows_per_mod):
    """A row for each rows_per_mod rows of x; 0: one for all."""
    return t if rows_per_mod == 0 else t.repeat_interleave(rows_per_mod, 0)[: x.shape[0]]


def block(x, residual=None, x_bias=None, gate=None, weight=None, bias=None, scale=None, shift=None,
          z=None, *, rms=False, alpha=1.0, rows_per_mod=0, scale_offset=1.0, before=False):
    s = x if x_bias is None else x + x_bias
    s = s if gate is None else mods(gate, x, rows_per_mod) * s
    s = s if residual is None else alpha * residual + s
    s = s * F.silu(z) if before else s
    if rms:
        y = F.rms_norm(s, s.shape[-1:], weight, 1e-5)
        y = y if bias is None else y + bias
    else:
        y = F.layer_norm(s, s.shape[-1:], weight, bias, 1e-5)
    if scale is not None:
        y = y * (scale_offset + mods(scale, x, rows_per_mod))
        y = y if shift is None else y + mods(shift, x, rows_per_mod)
    y = y * F.silu(z) if z is not None and not before else y
    has_sum = any(t is not None for t in (residual, x_bias, gate))
    return {"y": y, "sum": s} if has_sum else {"y": y}


RESIDUAL, X_BIAS, GATE, MODULATION = 1, 2, 4, 8


def fused(name, rows, cols, names, rms=False, dsum=True, from_sum=False, desc=None):
    desc = desc or {}
    n = desc.get("rows_per_mod", 0)
    count = -(-rows // n) if n else 1
    one_of = {"residual": (rows, cols), "z": (rows, cols), "gate": (count, cols),
              "scale": (count, cols), "shift": (count, cols)}
    flags = {"residual": RESIDUAL, "x_bias": X_BIAS, "gate": GATE, "scale": MODULATION}
    options = {k: v for k, v in desc.items() if k in ("alpha", "rows_per_mod", "scale_offset")}

    def function(**inputs):
        return block(**inputs, rms=rms, before=desc.get("act_gate") == 2, **options)
    return case(name, "rms_norm" if rms else "layer_norm", rows, cols, function,
                {i: one_of.get(i, (cols,)) for i in names}, dsum=dsum, from_sum=from_sum, eps=1e-5,
                inputs=sum(flags.get(i, 0) for i in names), **desc)


def gated_groups(x, z, weight):
    """Mamba-2's RMS norm of groups, with the gate before or after."""
    parts = (x * F.silu(z)).reshape(x.shape[0], 2, -1)
    y = F.rms_norm(parts, parts.shape[-1:], None, 1e-5).reshape(x.shape) * weight
    return {"y": y}


def fused_cases():
    yield fused("add.pre_norm", 3, 9, ["residual", "weight", "bias"])
    yield fused("add.pre_norm.rms", 3, 9, ["residual", "weight"], rms=True, from_sum=True)
    yield fused("add.post_norm", 3, 9, ["residual", "weight", "bias"], dsum=False)
    yield fused("add.deep_norm", 3, 9, ["residual", "weight", "bias"], dsum=False,
                desc={"alpha": 2.25})
    yield fused("add.bias", 3, 9, ["residual", "x_bias", "weight", "bias"], from_sum=True)
    yield fused("add.gate_of_samples", 4, 7, ["residual", "gate", "weight", "bias"],
                desc={"rows_per_mod": 2})
    yield fused("modulate.samples", 4, 7, ["scale", "shift"], desc={"rows_per_mod": 2})
    yield fused("modulate.uneven", 5, 7, ["scale", "shift", "weight", "bias"],
                desc={"rows_per_mod": 3})
    yield fused("modulate.rows", 3, 7, ["scale", "shift", "weight"], rms=True,
                desc={"rows_per_mod": 1})
    yield fused("modulate.all", 3, 7, ["scale", "shift"], desc={"scale_offset": 0.0})
    yield fused("modulate.no_shift", 3, 7, ["scale", "weight"], desc={"rows_per_mod": 1})
    yield fused("gated.after", 3, 8, ["z", "weight"], rms=True, desc={"act_gate": 1})
    yield fused("gated.before", 3, 8, ["z", "weight"], rms=True, desc={"act_gate": 2})
    yield fused("gated.after.layer_norm", 3, 8, ["z", "weight", "bias"], desc={"act_gate": 1})
    yield fused("gated.before.modulated", 3, 8, ["z", "weight", "bias", "scale", "shift"],
                desc={"act_gate": 2, "rows_per_mod": 2})
    yield case("gated.before.groups", "rms_norm", 2, 10, gated_groups,
               {"z": (2, 10), "weight": (10,)}, eps=1e-5, groups=2, act_gate=2)
    yield fused("everything", 4, 9, ["residual", "x_bias", "gate", "weight", "bias", "scale",
                                     "shift", "z"], from_sum=True,
                desc={"alpha": -1.5, "rows_per_mod": 2, "act_gate": 1, "scale_offset": 0.5})
    yield fused("everything.rms", 3, 9, ["residual", "x_bias", "gate", "weight", "bias", "scale",
                                         "shift", "z"], rms=True,
                desc={"alpha": 0.75, "rows_per_mod": 1, "act_gate": 1})


# ---- channels ---------------------------------------------------------------------------------

def as_nchw(x, channels, nhwc):
    """[rows, cols] as the [samples, channels, spatial] that PyTorch wants."""
    return x.reshape(len(x), -1, channels).mT if nhwc else x.reshape(len(x), channels, -1)


def as_rows(y, nhwc):
    return (y.mT if nhwc else y).reshape(len(y), -1)


def group_norm(channels, groups, nhwc=False):
    def function(x, weight=None, bias=None):
        nchw = as_nchw(x, channels, nhwc).contiguous()
        y, mean, rstd = torch.native_group_norm(nchw, weight, bias, len(x), channels,
                                                nchw.shape[2], groups, 1e-5)
        return {"y": as_rows(y, nhwc), "mean": mean.flatten(), "rstd": rstd.flatten()}
    return function


def instance_norm(channels, nhwc=False):
    def function(x, weight=None, bias=None):
        y = F.instance_norm(as_nchw(x, channels, nhwc), weight=weight, bias=bias, eps=1e-5)
        return {"y": as_rows(y, nhwc)}
    return function


def batch_norm(channels, nhwc=False):
    def function(x, weight=None, bias=None):
        nchw = as_nchw(x, channels, nhwc).contiguous()
        y, mean, rstd = torch.native_batch_norm(nchw, weight, bias, None, None, True, 0, 1e-5)
        return {"y": as_rows(y, nhwc), "mean": mean, "rstd": rstd}
    return function


def with_running(result, momentum, nhwc=False):
    """Adds the running statistics to a training case: nn.BatchNorm's unbiased variance."""
    channels = result.desc["channels"]
    inputs = {name: torch.tensor(values) for _, name, values in result.parts[""]}
    numbers = Numbers(97)
    mean = tensor(numbers.fill(channels))
    var = tensor(numbers.fill(channels)).square()
    result.give("forward", running_mean=mean.clone(), running_var=var.clone())
    F.batch_norm(as_nchw(inputs["x"], channels, nhwc), mean, var, training=True, momentum=momentum,
                 eps=1e-5)
    result.expect("forward", running_mean=mean, running_var=var)
    return result


def inference(channels, nhwc=False):
    def function(x, running_mean, running_var, weight=None, bias=None):
        y = F.batch_norm(as_nchw(x, channels, nhwc), running_mean, running_var, weight, bias,
                         training=False, eps=1e-5)
        return {"y": as_rows(y, nhwc)}
    return function


def inference_case(name, rows, cols, channels, shapes, nhwc=False, **desc):
    shapes = {"running_mean": (channels,), "running_var": (channels,), **shapes}
    numbers = Numbers(sum(map(ord, name)))
    inputs = {n: tensor(numbers.fill(*s)) for n, s in {"x": (rows, cols), **shapes}.items()}
    inputs["running_var"] = inputs["running_var"].square()
    for n in inputs:
        if not n.startswith("running"):
            inputs[n].requires_grad_()
    outputs = inference(channels, nhwc)(**inputs)
    given, found = gradients(outputs, inputs, numbers, False)
    result = Case("torch." + name, "batch_norm", rows, cols, channels=channels, eps=1e-5, stats=2,
                  layout=int(nhwc), **desc)
    result.give(**{n: array(t) for n, t in inputs.items()})
    result.expect("forward", y=array(outputs["y"]))
    result.give("backward", **{n: array(t) for n, t in given.items()})
    result.expect("backward", **found)
    return result


def channel_cases():
    def affine(channels):
        return {"weight": (channels,), "bias": (channels,)}
    yield case("group_norm", "group_norm", 2, 24, group_norm(6, 2), affine(6), eps=1e-5, channels=6,
               groups=2)
    yield case("group_norm.nhwc", "group_norm", 2, 24, group_norm(6, 3, True), affine(6), eps=1e-5,
               channels=6, groups=3, layout=1)
    yield case("group_norm.plain", "group_norm", 2, 20, group_norm(4, 1), {}, saved=False, eps=1e-5,
               channels=4)
    yield case("group_norm.no_spatial", "group_norm", 3, 10, group_norm(10, 2), affine(10),
               eps=1e-5, channels=10, groups=2)
    yield case("instance_norm", "instance_norm", 2, 15, instance_norm(3), affine(3), eps=1e-5,
               channels=3)
    yield case("instance_norm.plain", "instance_norm", 2, 14, instance_norm(2), {}, eps=1e-5,
               channels=2)
    yield case("instance_norm.nhwc", "instance_norm", 2, 15, instance_norm(3, True), affine(3),
               eps=1e-5, channels=3, layout=1)
    yield with_running(case("batch_norm", "batch_norm", 3, 15, batch_norm(3), affine(3), eps=1e-5,
                            channels=3, momentum=0.1), 0.1)
    yield with_running(case("batch_norm.nhwc", "batch_norm", 3, 15, batch_norm(3, True), affine(3),
                            saved=False, eps=1e-5, channels=3, layout=1, momentum=0.25), 0.25, True)
    yield case("batch_norm.features", "batch_norm", 5, 7, batch_norm(7), affine(7), eps=1e-5,
               channels=7)
    yield case("batch_norm.plain", "batch_norm", 2, 12, batch_norm(2), {}, saved=False, eps=1e-5,
               channels=2)
    yield inference_case("batch_norm.inference", 3, 15, 3, affine(3))
    yield inference_case("batch_norm.inference.nhwc", 2, 15, 5, affine(5), nhwc=True)
    yield inference_case("batch_norm.inference.plain", 2, 8, 4, {})
    yield case("mvn.rows", "mvn", 3, 9, lambda x: {"y": F.layer_norm(x, (9,), eps=1e-5)}, {},
               eps=1e-5)
    yield case("mvn.channels", "mvn", 2, 15, batch_norm(3), {}, eps=1e-5, channels=3)


# ---- norms ------------------------------------------------------------------------------------

def normalize(p, eps):
    return lambda x: {"y": F.normalize(x, p=p, dim=1, eps=eps)}


def outside(p, eps):
    return lambda x: {"y": x / (torch.linalg.vector_norm(x, p, 1, keepdim=True) + eps)}


def inside(eps):
    return lambda x: {"y": x * (x.square().sum(1, keepdim=True) + eps).rsqrt()}


def shrink_row(inputs):
    """The second row's norm becomes less than eps, the third is all zero."""
    inputs["x"][1] /= 64
    inputs["x"][2] = 0


def weight_norm(x, weight):
    return {"y": torch._weight_norm(x.reshape(len(x), 3, -1), weight.reshape(-1, 1, 1), 0)
            .reshape(x.shape)}


def vector_cases():
    for p in (1.0, 1.5, 2.0, 3.0):
        yield case(f"normalize.p{p:g}", "lp_norm", 3, 9, normalize(p, 1e-12), {}, eps=1e-12,
                   eps_mode=2, p=p)
        yield case(f"normalize.p{p:g}.clamped", "lp_norm", 3, 5, normalize(p, 0.5), {},
                   edit=shrink_row, eps=0.5, eps_mode=2, p=p)
        yield case(f"lp_norm.p{p:g}.outside", "lp_norm", 3, 6, outside(p, 0.25), {}, eps=0.25,
                   eps_mode=1, p=p)
    yield case("lp_norm.inside", "lp_norm", 3, 6, inside(0.25), {}, eps=0.25)
    yield case("weight_norm", "weight_norm", 4, 15, weight_norm, {"weight": (4,)}, eps=0.0)


def cases():
    torch.set_num_threads(1)
    return [*norm_cases(), *from_output_cases(), *fused_cases(), *channel_cases(), *vector_cases()]
