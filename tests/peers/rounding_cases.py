# SPDX-License-Identifier: MIT
"""Where rounding is part of the meaning: casts in between, sums of 16-bit numbers, quantised y.

The tests want these bit for bit from any right arithmetic in float, so no value may lie so close to
the border between two results that float decides: `sure` draws other numbers until none does."""

import ml_dtypes
import numpy as np
import onnx.inliner
import torch
import torch.nn.functional as F
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from onnx_cases import evaluate, model_of
from record import UNITS, Case, Numbers

TORCH = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}
NUMPY = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32,
         "e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2}
LARGEST = {"i8": 127.0, "e4m3": 448.0, "e5m2": 57344.0}
EPS = 1e-5
MARGIN = 2.0**-19  # above what docs/numerics.md grants to rows as short as these: 15 * 2^-24


def rounded(values, dtype):
    return values.astype(NUMPY[dtype]).astype(np.float64) if dtype != "f64" else values


def normalized(s, rms, margin):
    """x^ in double, off by as much as float may be."""
    d = s if rms else s - s.mean(1, keepdims=True)
    n = d / np.sqrt(np.mean(d * d, 1, keepdims=True) + EPS)
    return n + margin * (1 + np.abs(n))


def sure(name, draw, peer, formula):
    """What the peer gives for the first numbers that leave no doubt: inputs, results."""
    for seed in range(1, 2000):
        inputs = draw(Numbers(seed))
        results = [formula(margin, **inputs) for margin in (-MARGIN, 0.0, MARGIN)]
        if all(np.array_equal(results[0], r) for r in results):
            found = peer(**inputs)
            if not np.array_equal(found["y"], results[0]):
                raise SystemExit(f"{name}: the formula is not the peer's")
            return inputs, found
    raise SystemExit(f"{name}: always in doubt")


def finish(name, kind, given, found, **desc):
    rows, cols = given["x"].shape
    result = Case(name, kind, rows, cols, eps=EPS, **{"unit": UNITS["f32"], **desc})
    result.give(**given)
    result.expect("forward", **found)
    return result


def as_torch(values, dtype):
    return None if values is None else torch.tensor(values).to(TORCH[dtype])


def numbers_of(t):
    return t.detach().double().numpy()


# ---- casts ------------------------------------------------------------------------------------

def onnx_layer_norm():
    """The function that ONNX defines the operator by: Normalized is cast to T, then Mul and Add."""
    def peer(x, weight, bias):
        half = {"x": x.astype(np.float16), "weight": weight.astype(np.float16),
                "bias": bias.astype(np.float16)}
        model = model_of("LayerNormalization", half, ["y"], version=17, axis=1, epsilon=EPS)
        model = onnx.shape_inference.infer_shapes(model)
        model = onnx.inliner.inline_selected_functions(model, [("", "LayerNormalization")],
                                                       inline_schema_functions=True)
        assert all(n.op_type != "LayerNormalization" for n in model.graph.node)
        return {"y": ReferenceEvaluator(model).run(None, half)[0].astype(np.float64)}

    def formula(margin, x, weight, bias):
        product = rounded(rounded(normalized(x, False, margin), "f16") * weight, "f16")
        return rounded(product + bias, "f16")
    inputs, found = sure("LayerNormalization", lambda n: {
        "x": n.fill(3, 15), "weight": n.fill(15), "bias": n.fill(15)}, peer, formula)
    return finish("onnx.LayerNormalization.f16", "layer_norm", inputs, found, x_dtype="f16",
                  y_dtype="f16", param_dtype="f16", cast=1)


def llama_rms_norm(dtype):
    """LlamaRMSNorm of transformers, and vLLM's: weight * hidden_states.to(input_dtype)."""
    def peer(x, weight):
        h = as_torch(x, dtype).float()
        h = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + EPS)
        return {"y": numbers_of(as_torch(weight, dtype) * h.to(TORCH[dtype]))}

    def formula(margin, x, weight):
        return rounded(rounded(normalized(x, True, margin), dtype) * weight, dtype)
    inputs, found = sure("LlamaRMSNorm", lambda n: {"x": n.fill(3, 17), "weight": n.fill(17)}, peer,
                         formula)
    return finish(f"torch.LlamaRMSNorm.{dtype}", "rms_norm", inputs, found, x_dtype=dtype,
                  y_dtype=dtype, param_dtype=dtype, cast=1)


def gemma_rms_norm():
    """GemmaRMSNorm: one rounding, of x^ * (1 + weight)."""
    def peer(x, weight):
        h = as_torch(x, "bf16").float()
        h = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + EPS)
        return {"y": numbers_of((h * (1.0 + as_torch(weight, "bf16").float())).bfloat16())}

    def formula(margin, x, weight):
        return rounded(normalized(x, True, margin) * (1 + weight), "bf16")
    inputs, found = sure("GemmaRMSNorm", lambda n: {"x": n.fill(3, 17), "weight": n.fill(17)}, peer,
                         formula)
    return finish("torch.GemmaRMSNorm.bf16", "rms_norm", inputs, found, x_dtype="bf16",
                  y_dtype="bf16", param_dtype="bf16", weight_offset=1.0)


def mixed_layer_norm():
    """16-bit rows, weights in float."""
    def peer(x, weight, bias):
        y = F.layer_norm(as_torch(x, "bf16"), (13,), as_torch(weight, "f32"),
                         as_torch(bias, "f32"), EPS)
        return {"y": numbers_of(y)}

    def formula(margin, x, weight, bias):
        return rounded(normalized(x, False, margin) * weight + bias, "bf16")
    inputs, found = sure("mixed", lambda n: {"x": n.fill(3, 13), "weight": n.fill(13),
                                             "bias": n.fill(13)}, peer, formula)
    return finish("torch.layer_norm.mixed", "layer_norm", inputs, found, x_dtype="bf16",
                  y_dtype="bf16", param_dtype="f32")


def add_layer_norm(dtype, exact):
    """exact: the sum stays in float, and only what is handed on is rounded (vLLM's fallback)."""
    def peer(x, residual):
        s = as_torch(x, dtype).float() + as_torch(residual, dtype).float()
        low = s.to(TORCH[dtype])
        y = F.layer_norm(s, (15,), eps=EPS).to(TORCH[dtype]) if exact else F.layer_norm(
            low, (15,), eps=EPS)
        return {"y": numbers_of(y), "sum": numbers_of(low)}

    def formula(margin, x, residual):
        s = x + residual
        return rounded(normalized(s if exact else rounded(s, dtype), False, margin), dtype)
    # 16 times as large: the sum needs 12 bits
    inputs, found = sure("add", lambda n: {"x": n.fill(3, 15), "residual": 16 * n.fill(3, 15)},
                         peer, formula)
    return finish(f"torch.add.{dtype}.{'exact' if exact else 'rounded'}", "layer_norm", inputs,
                  found, x_dtype=dtype, y_dtype=dtype, param_dtype=dtype, residual_dtype=dtype,
                  inputs=1, contract=int(exact))


# ---- quantised y ------------------------------------------------------------------------------

def codes(y, scale, dtype, zero=0):
    q = y / scale
    if dtype == "i8":
        return np.clip(np.rint(q) + zero, -128, 127)
    return rounded(np.clip(q, -LARGEST[dtype], LARGEST[dtype]), dtype)


def static(dtype, scale, onnx_type, zero=None):
    """ONNX QuantizeLinear after a norm in float. zero: the zero point of i8."""
    given = {} if zero is None else {"qzero": np.array([zero])}

    def peer(x, qscale, qzero=None):
        y = F.layer_norm(as_torch(x, "f32"), (14,), eps=EPS).numpy()
        inputs = {"x": y, "scale": np.array(qscale[0], np.float32)}
        if qzero is not None:
            inputs["zero"] = np.array(qzero[0], np.int8)
        q, = evaluate("QuantizeLinear", inputs, ["q"], version=21, output_dtype=onnx_type)
        return {"y": q.astype(np.float64)}

    def formula(margin, x, qscale, qzero=(0,)):
        return codes(normalized(x, False, margin), qscale[0], dtype, qzero[0])
    inputs, found = sure("QuantizeLinear", lambda n: {"x": n.fill(3, 14),
                                                      "qscale": np.array([scale]), **given},
                         peer, formula)
    if dtype == "i8":
        found["qsum"] = found["y"].sum(1)
    return finish(f"onnx.QuantizeLinear.{dtype}", "layer_norm", inputs, found, x_dtype="f32",
                  y_dtype=dtype, param_dtype="f32", quant=1,
                  **({"quant_asymmetric": 1} if given else {}))


def dynamic(dtype, group):
    """A scale for each row, or for each `group` columns: the largest |y| becomes the largest code.
    """
    def parts(y):
        return y.reshape(len(y), -1, group or y.shape[1])

    def peer(x):
        y = parts(F.rms_norm(as_torch(x, "f32"), (16,), eps=EPS))
        scale = y.abs().amax(-1, keepdim=True) / LARGEST[dtype]
        q = y / scale
        q = torch.round(q) if dtype == "i8" else q.to(getattr(torch, "float8_e4m3fn" if dtype ==
                                                              "e4m3" else "float8_e5m2"))
        return {"y": numbers_of(q).reshape(x.shape), "qscale": numbers_of(scale)[..., 0]}

    def formula(margin, x):
        y = parts(normalized(x, True, margin))
        return codes(y, np.abs(parts(normalized(x, True, 0.0))).max(-1, keepdims=True)
                     / LARGEST[dtype], dtype).reshape(x.shape)
    inputs, found = sure("dynamic", lambda n: {"x": n.fill(3, 16)}, peer, formula)
    return finish(f"torch.quantised.{dtype}." + ("group" if group else "row"), "rms_norm", inputs,
                  found, x_dtype="f32", y_dtype=dtype, param_dtype="f32", quant=3 if group else 2,
                  **({"quant_group": group} if group else {}))


def cases():
    return [onnx_layer_norm(), llama_rms_norm("bf16"), llama_rms_norm("f16"), gemma_rms_norm(),
            mixed_layer_norm(), add_layer_norm("bf16", False), add_layer_norm("bf16", True),
            add_layer_norm("f16", False), add_layer_norm("f16", True),
            static("i8", 0.015625, TensorProto.INT8), static("i8", 0.03, TensorProto.INT8),
            static("i8", 0.015625, TensorProto.INT8, -50),
            static("e4m3", 0.005, TensorProto.FLOAT8E4M3FN),
            static("e5m2", 0.0078125, TensorProto.FLOAT8E5M2), dynamic("i8", 0), dynamic("i8", 4),
            dynamic("e4m3", 8), dynamic("e4m3", 0), dynamic("e5m2", 0)]
