# SPDX-License-Identifier: MIT
"""What the Python workers share: worker.c in Python. Commands and answers: bench/README.md."""

import mmap
import os
import sys
import time

import ml_dtypes
import numpy

DTYPES = {"f32": numpy.float32, "f16": numpy.float16, "bf16": ml_dtypes.bfloat16,
          "i8": numpy.int8}


class Lacks(Exception):
    """The peer has no such operator or dtype."""


class Case:
    """Words of a prepared case, its inputs as arrays, and the shapes of its outputs."""

    def __init__(self, words):
        self.words = words
        self.op, self.direction, self.dtype, self.extra = (
            words[key] for key in ("op", "direction", "dtype", "extra"))
        self.rows, self.cols = int(words["rows"]), int(words["cols"])
        self.eps = float(words["eps"])
        self.inputs, self.outputs = {}, {}
        for key, value in words.items():
            if key.startswith("in."):
                self.inputs[key[3:]] = map_file(*value.split(":"))
            if key.startswith("out."):
                dtype, rows, cols = value.split(":")
                self.outputs[key[4:]] = (DTYPES[dtype], int(rows), int(cols))


def map_file(dtype, rows, cols, path):
    """The file as an array; writable only because some peers take no other, and never written."""
    rows, cols = int(rows), int(cols)
    dtype = numpy.dtype(DTYPES[dtype])
    with open(path, "r+b") as file:
        data = mmap.mmap(file.fileno(), rows * cols * dtype.itemsize,
                         flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
    array = numpy.frombuffer(data, dtype)
    return array.reshape(rows, cols) if rows > 1 or cols_are_a_row(path) else array


def cols_are_a_row(path):
    """Of tensors with one row only: is it a matrix still, or a vector?"""
    return os.path.basename(path).split(".")[0] in ("x", "dy", "residual", "scale", "shift")


def seconds(peer, what, calls, each):
    if what != "op":
        raise ValueError(f"what={what}: only op")
    times = []
    for _ in range(calls if each else 1):
        begin = time.perf_counter()
        for _ in range(1 if each else calls):
            peer.call()
        peer.finish()
        times.append((time.perf_counter() - begin) / (1 if each else calls))
    return sorted(times)[len(times) // 2]


def sample(case, outputs, rows, folder):
    """Writes as many rows of each output, from the first to the last."""
    for name, (dtype, all_rows, cols) in case.outputs.items():
        n = min(rows, all_rows)
        chosen = [i * (all_rows - 1) // (n - 1) if n > 1 else 0 for i in range(n)]
        array = numpy.asarray(outputs[name]).reshape(all_rows, cols)
        array[chosen].astype(dtype).tofile(os.path.join(folder, name))


def answer(peer, state, line):
    command, *rest = line.split()
    words = dict(word.split("=", 1) for word in rest)
    if command == "prepare":
        state["case"] = None
        peer.release()
        case = Case(words)
        peer.prepare(case)
        state["case"] = case
    elif command == "time":
        return round(1e9 * seconds(peer, words["what"], int(words["calls"]),
                                   words.get("each") == "1"))
    elif command == "sample":
        sample(state["case"], peer.outputs(), int(words["rows"]), words["folder"])
    elif command == "free":
        state["case"] = None
        peer.release()
    elif command == "versions":
        return " ".join(f"{name}={version}" for name, version in peer.versions().items())
    else:
        raise ValueError(f"command '{command}'")
    return ""


def serve(peer):
    """Serves stdin until it ends. A peer has versions, prepare, call, finish, outputs, release."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print what they like
    state = {"case": None}
    for line in sys.stdin:
        try:
            print("ok", answer(peer, state, line), file=answers)
        except Lacks as lacks:
            print("lacks", lacks, file=answers)
        except Exception as error:  # whatever a library raises is told to the one who asked
            text = " ".join(f"{type(error).__name__}: {error}".split())
            print("error", text[:500], file=answers)
            return 3
    return 0
