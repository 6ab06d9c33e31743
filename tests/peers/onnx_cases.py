# SPDX-License-Identifier: MIT
"""ONNX's operators by its reference evaluator, in double where it can; SkipLayerNormalization, which
is not of ONNX, by ONNX Runtime, in float."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from record import Case, Numbers

FLOAT_01 = float(np.float32(0.1))  # attributes are floats
DOUBLE = TensorProto.DOUBLE  # of stash_type: the function's statistics in double


def model_of(op, inputs, outputs, domain="", version=23, **attributes):
    types = {n: helper.np_dtype_to_tensor_dtype(v.dtype) for n, v in inputs.items()}
    node = helper.make_node(op, list(inputs), outputs, domain=domain, **attributes)
    values = helper.make_tensor_value_info
    graph = helper.make_graph([node], op, [values(n, types[n], v.shape) for n, v in inputs.items()],
                              [values(n, types["x"], None) for n in outputs if n])
    opsets = [helper.make_opsetid("", version)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def evaluate(op, inputs, outputs, version=23, **attributes):
    return ReferenceEvaluator(model_of(op, inputs, outputs, version=version,
                                       **attributes)).run(None, inputs)


def rows_of(values, rows):
    return np.asarray(values).reshape(rows, -1)


# ---- over trailing axes -----------------------------------------------------------------------

def layer_norm(axis, bias=True):
    shape = (2, 3, 4)
    numbers = Numbers(17 + axis)
    rows = int(np.prod(shape[:axis]))
    inputs = {"x": numbers.fill(*shape), "weight": numbers.fill(*shape[axis:])}
    if bias:
        inputs["bias"] = numbers.fill(*shape[axis:])
    y, mean, rstd = evaluate("LayerNormalization", inputs, ["y", "mean", "rstd"], axis=axis,
                             epsilon=0.1)
    result = Case(f"onnx.LayerNormalization.axis{axis}", "layer_norm", rows, 24 // rows,
                  eps=FLOAT_01)
    result.give(x=rows_of(inputs["x"], rows), weight=inputs["weight"].flatten(),
                bias=inputs["bias"].flatten() if bias else None)
    result.expect("forward", y=rows_of(y, rows), mean=mean.flatten(), rstd=rstd.flatten())
    return result


def rms_norm(axis):
    shape = (2, 3, 4)
    numbers = Numbers(23 + axis)
    rows = int(np.prod(shape[:axis]))
    inputs = {"x": numbers.fill(*shape), "weight": numbers.fill(*shape[axis:])}
    y, = evaluate("RMSNormalization", inputs, ["y"], axis=axis, epsilon=0.1)
    result = Case(f"onnx.RMSNormalization.axis{axis}", "rms_norm", rows, 24 // rows, eps=FLOAT_01)
    result.give(x=rows_of(inputs["x"], rows), weight=inputs["weight"].flatten())
    result.expect("forward", y=rows_of(y, rows))
    return result


# ---- over channels ----------------------------------------------------------------------------

def channel_case(name, kind, op, shape, seed, version=23, desc=None, **attributes):
    numbers = Numbers(seed)
    channels, rows = shape[1], shape[0]
    inputs = {"x": numbers.fill(*shape), "weight": numbers.fill(channels),
              "bias": numbers.fill(channels)}
    y, = evaluate(op, inputs, ["y"], version=version, epsilon=0.0625, **attributes)
    result = Case(name, kind, rows, inputs["x"].size // rows, eps=0.0625, channels=channels,
                  **(desc or {}))
    result.give(x=rows_of(inputs["x"], rows), weight=inputs["weight"], bias=inputs["bias"])
    result.expect("forward", y=rows_of(y, rows))
    return result


def batch_norm(training):
    numbers = Numbers(41)
    inputs = {"x": numbers.fill(2, 3, 2, 2), "weight": numbers.fill(3), "bias": numbers.fill(3),
              "mean": numbers.fill(3), "var": numbers.fill(3) ** 2}
    # ONNX's momentum is that of the old value, 0.75 here; clnorm's, as PyTorch's, of the new one
    found = evaluate("BatchNormalization", inputs, ["y", "m", "v"] if training else ["y"],
                     version=15, epsilon=0.0625, momentum=0.75, training_mode=int(training))
    result = Case("onnx.BatchNormalization" + (".training" if training else ""), "batch_norm", 2,
                  12, eps=0.0625, channels=3, momentum=0.25, running_biased=1,
                  stats=0 if training else 2)
    result.give(x=rows_of(inputs["x"], 2), weight=inputs["weight"], bias=inputs["bias"])
    result.give("forward", running_mean=inputs["mean"], running_var=inputs["var"])
    result.expect("forward", y=rows_of(found[0], 2))
    if training:
        result.expect("forward", running_mean=found[1], running_var=found[2])
    return result


# ---- without weights --------------------------------------------------------------------------

def mvn(axes, trailing):
    """The function adds 1e-9 to the deviation: eps outside of the root. It is one of floats."""
    x = Numbers(53).fill(3, 2, 2, 3).astype(np.float32)
    y, = evaluate("MeanVarianceNormalization", {"x": x}, ["y"], version=13, axes=axes)
    rows = 6 if trailing else 3
    channels = {} if trailing else {"channels": 2}
    result = Case("onnx.MeanVarianceNormalization." + ("rows" if trailing else "channels"), "mvn",
                  rows, 36 // rows, dtype="f32", eps=1e-9, eps_mode=1, **channels)
    result.give(x=rows_of(x, rows))
    result.expect("forward", y=rows_of(y, rows))
    return result


def lp_norm(p):
    """A row of zeros stays 0. The evaluator leaves out the |x| of p 1: x is positive there."""
    x = Numbers(61).fill(3, 7)
    x = np.abs(x) if p == 1 else x
    x[1] = 0
    y, = evaluate("LpNormalization", {"x": x}, ["y"], version=22, axis=-1, p=p)
    result = Case(f"onnx.LpNormalization.p{p}", "lp_norm", 3, 7, eps=0.0, p=float(p))
    result.give(x=x)
    result.expect("forward", y=y)
    return result


# ---- ONNX Runtime -----------------------------------------------------------------------------

def skip(op, simplified, with_bias):
    numbers = Numbers(71)
    inputs = {"x": numbers.fill(1, 3, 8), "skip": numbers.fill(1, 3, 8), "gamma": numbers.fill(8)}
    if not simplified:
        inputs["beta"] = numbers.fill(8)
    if with_bias:
        inputs["bias"] = numbers.fill(8)
    inputs = {n: v.astype(np.float32) for n, v in inputs.items()}
    model = model_of(op, inputs, ["y", "", "", "sum"], domain="com.microsoft", version=21,
                     epsilon=0.125)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    y, total = session.run(None, inputs)
    name = f"onnxruntime.{op}" + (".bias" if with_bias else "")
    result = Case(name, "rms_norm" if simplified else "layer_norm", 3, 8, dtype="f32", eps=0.125,
                  inputs=3 if with_bias else 1)
    result.give(x=inputs["x"][0], residual=inputs["skip"][0], weight=inputs["gamma"],
                bias=inputs.get("beta"), x_bias=inputs.get("bias"))
    result.expect("forward", y=y[0], sum=total[0])
    return result


def cases():
    return [layer_norm(1), layer_norm(2), layer_norm(0, bias=False), rms_norm(1),
            rms_norm(2),
            channel_case("onnx.GroupNormalization", "group_norm", "GroupNormalization",
                         (2, 6, 2, 2), 31, desc={"groups": 3}, num_groups=3, stash_type=DOUBLE),
            channel_case("onnx.InstanceNormalization", "instance_norm", "InstanceNormalization",
                         (2, 3, 5), 37, version=22),
            batch_norm(True), batch_norm(False), mvn([0, 2, 3], False), mvn([2, 3], True),
            lp_norm(1), lp_norm(2), skip("SkipLayerNormalization", False, False),
            skip("SkipLayerNormalization", False, True),
            skip("SkipSimplifiedLayerNormalization", True, True)]
