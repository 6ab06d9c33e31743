# SPDX-License-Identifier: MIT
"""ONNX Runtime on all cores, bound to preallocated outputs. Its threads stop spinning when a run
ends, so that they do not disturb the next peer."""

import os
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper

import worker

TYPES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
# (op, extra): node, its domain, its inputs and outputs ('' is one that is not wanted)
NODES = {
    ("layer_norm", "-"): ("LayerNormalization", "", ["x", "weight", "bias"], ["y"]),
    ("rms_norm", "-"): ("RMSNormalization", "", ["x", "weight"], ["y"]),
    ("layer_norm", "residual"): ("SkipLayerNormalization", "com.microsoft",
                                 ["x", "residual", "weight", "bias"], ["y", "", "", "sum"]),
}


def model_of(case, node):
    name, domain, inputs, outputs = node
    kind = TYPES[case.dtype]
    full, line = [case.rows, case.cols], [case.cols]
    if domain:
        full = [1] + full
    attributes = {"epsilon": case.eps} if domain else {"epsilon": case.eps, "axis": -1}
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(name, inputs, outputs, domain=domain, **attributes)], "norm",
        [info(i, kind, line if case.inputs[i].ndim == 1 else full) for i in inputs],
        [info(o, kind, full) for o in outputs if o])
    opsets = [helper.make_opsetid("", 23)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=11), full


def options():
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = len(os.sched_getaffinity(0))
    chosen.add_session_config_entry("session.force_spinning_stop", "1")
    chosen.log_severity_level = 3
    return chosen


class Peer:
    def __init__(self):
        self.release()

    def versions(self):
        return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}

    def release(self):
        self.session = self.binding = self.case = None
        self.results = {}

    def prepare(self, case):
        node = NODES.get((case.op, case.extra))
        if case.direction != "forward" or not node:
            raise worker.Lacks("no operator for it")
        model, full = model_of(case, node)
        try:
            self.session = onnxruntime.InferenceSession(
                model.SerializeToString(), options(), providers=["CPUExecutionProvider"])
        except Exception as error:
            if "NOT_IMPLEMENTED" in str(error) or "INVALID_GRAPH" in str(error):
                raise worker.Lacks(f"no kernel for {case.dtype}") from error
            raise
        self.case = case
        self.bind(full)

    def bind(self, full):
        kind = TYPES[self.case.dtype]
        self.binding = self.session.io_binding()
        for argument in self.session.get_inputs():
            array = self.case.inputs[argument.name]
            shape = full if array.ndim == 2 else array.shape
            self.binding.bind_input(argument.name, "cpu", 0, kind, shape, array.ctypes.data)
        for argument in self.session.get_outputs():
            dtype, rows, cols = self.case.outputs[argument.name]
            array = numpy.zeros((rows, cols), dtype)
            array.fill(0)  # touches its pages
            self.results[argument.name] = array
            self.binding.bind_output(argument.name, "cpu", 0, kind, full, array.ctypes.data)

    def call(self):
        self.session.run_with_iobinding(self.binding)

    def finish(self):
        pass

    def outputs(self):
        return self.results


if __name__ == "__main__":
    sys.exit(worker.serve(Peer()))
