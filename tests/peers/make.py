#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/peers/data/*.txt: what PyTorch, ONNX's reference evaluator and ONNX Runtime compute.

    python3 -m venv build/peers
    build/peers/bin/pip install torch onnx onnxruntime numpy
    build/peers/bin/python tests/peers/make.py

(any build of PyTorch will do, and its CPU wheels are smaller). The tests read the files and need
none of this. The files name the versions that wrote them. transformer.py, beside this, writes
tests/peers/data/transformer.json by itself.

    onnx_cases.py      ONNX's operators, and SkipLayerNormalization by ONNX Runtime
    rounding_cases.py  where rounding is part of the meaning: 16-bit casts, quantised outputs
    recurrent_cases.py recurrent nets, in double
    torch_cases.py     layers of PyTorch, forward and backward by autograd, in double
"""

import pathlib

import onnx
import onnxruntime
import torch

import onnx_cases
import recurrent_cases
import rounding_cases
import torch_cases

DATA = pathlib.Path(__file__).parent / "data"
LICENCE = "# SPDX-License-Identifier: MIT\n"


def write(name, versions, cases):
    text = LICENCE + f"# Written by tests/peers/make.py with {versions}.\n"
    (DATA / name).write_text(text + "".join("\n" + case.text() for case in cases))
    print(f"{name}: {len(cases)} cases, {(DATA / name).stat().st_size} bytes")


def main():
    torch_version = "PyTorch " + torch.__version__.split("+")[0]
    onnx_version = "ONNX " + onnx.__version__
    DATA.mkdir(exist_ok=True)
    write("torch.txt", torch_version, torch_cases.cases())
    write("recurrent.txt", torch_version, recurrent_cases.cases())
    write("onnx.txt", f"{onnx_version} and ONNX Runtime {onnxruntime.__version__}",
          onnx_cases.cases())
    write("rounding.txt", f"{torch_version} and {onnx_version}", rounding_cases.cases())


if __name__ == "__main__":
    main()
