# SPDX-License-Identifier: MIT
"""Inputs of a case, which all workers map from the same files, and what must come out.

Rows are normal random numbers of a fixed seed; their scale and mean differ from row to row. A block
of rows is drawn and repeated, so that gigabytes are written fast and sums over all rows follow
from those over a block: expected values are in double, without going over all of x."""

import dataclasses
import os
import pathlib
import shutil
import tempfile

import ml_dtypes
import numpy

from peer import cases

SEED = 20261
BLOCK_ELEMENTS = 1 << 21
SAMPLE_ROWS, SAMPLE_ELEMENTS = 64, 1 << 21
DTYPES = {"f32": numpy.float32, "f16": numpy.float16, "bf16": ml_dtypes.bfloat16,
          "i8": numpy.int8}
# Half a unit of the last place of the result, and the errors of sums in float before it: peers
# differ in the order of their additions, and the longest rows have 2^20 elements.
TOLERANCE = {"f32": 2e-5, "f16": 2.0**-10, "bf16": 2.0**-7, "i8": 0}
SUM_TOLERANCE = 1e-5  # of a sum over rows: of the sum of its terms' sizes
LEAST_F16 = 2.0**-24  # numbers of f16 do not come closer


def folder_bytes(case):
    """Of a case's inputs and of the sample of one peer's results."""
    inputs = {(t.name, t.dtype): t.bytes() for t in case.inputs() + case.inputs("f32")}
    n = sample_rows(case)
    return sum(inputs.values()) + sum(
        t.bytes() // t.rows * min(n, t.rows) for t in case.outputs("f32"))


def folder_with(room):
    """In memory if it fits there: Docker's /dev/shm has 64 MB."""
    bases = ["/dev/shm", tempfile.gettempdir(), "/var/tmp"]
    free = {base: shutil.disk_usage(base).free for base in bases if os.access(base, os.W_OK)}
    for base, has in free.items():
        if has >= room:
            return base
    found = ", ".join(f"{base} has {has / 1e6:.0f}" for base, has in free.items())
    raise OSError(f"inputs need {room / 1e6:.0f} MB in one folder, and {found}: make room, set "
                  "TMPDIR to another folder, or choose smaller cases")


class Inputs:
    """A folder with a file for each input of a case, and room for the largest of the cases."""

    def __init__(self, chosen):
        base = folder_with(max(map(folder_bytes, chosen)))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="clnorm-peers-", dir=base))
        self.made = set()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, case):
        """Makes what the case needs and is not there, and drops what it does not need."""
        wanted = {self.key(case, t): t for t in case.inputs() + case.inputs("f32")}
        for key in [key for key in self.made if key not in wanted]:
            self.file(key).unlink(missing_ok=True)
            self.made.remove(key)
        for key, tensor in wanted.items():
            if key not in self.made:
                fill(self.file(key), case, tensor)
                self.made.add(key)

    def key(self, case, tensor):
        centre = case.has_bias() if tensor.name in ("mean", "rstd") else ""
        return f"{tensor.name}.{tensor.dtype}.{case.dtype}.{case.rows}x{case.cols}{centre}"

    def file(self, key):
        return self.folder / key

    def paths(self, case):
        return lambda tensor: str(self.file(self.key(case, tensor)))


def block_rows(case):
    return min(case.rows, max(1, BLOCK_ELEMENTS // case.cols))


def random_block(case, name):
    """float32, before it is rounded to the dtype of the tensor."""
    rng = numpy.random.default_rng([SEED, *name.encode()])
    rows, cols = block_rows(case), case.cols
    if name in ("weight", "bias"):
        return rng.standard_normal((1, cols), numpy.float32) * 0.25 + (name == "weight")
    if name in ("scale", "shift"):
        return rng.standard_normal((case.rows // cases.ROWS_PER_MOD, cols), numpy.float32) * 0.25
    values = rng.standard_normal((rows, cols), numpy.float32)
    if name == "dy":  # small: sums over all rows have to fit into f16
        return values * numpy.float32(0.05)
    spread = rng.uniform(0.5, 2, (rows, 1)).astype(numpy.float32)
    return values * spread + rng.uniform(-1, 1, (rows, 1)).astype(numpy.float32)


def block(case, name, dtype=None):
    """The block as a worker reads it: rounded. weight and bias always to the dtype of x."""
    values = random_block(case, name).astype(DTYPES[case.dtype])
    return values.astype(DTYPES[dtype]) if dtype else values


def wide(case, name):
    return block(case, name).astype(numpy.float64)


def statistics(case):
    """mean and rstd of the rows of the block that is normalized."""
    x = wide(case, "x")
    if case.extra == "residual":
        x = (block(case, "x") + block(case, "residual")).astype(numpy.float64)
    mean = x.mean(1, keepdims=True) if case.has_bias() else numpy.zeros((len(x), 1))
    rstd = 1 / numpy.sqrt(((x - mean)**2).mean(1, keepdims=True) + cases.EPS)
    return x, mean, rstd


def fill(path, case, tensor):
    if tensor.name in ("mean", "rstd"):
        _, mean, rstd = statistics(case)
        part = (mean if tensor.name == "mean" else rstd).astype(numpy.float32)
    else:
        part = block(case, tensor.name, tensor.dtype)
    data, left = part.tobytes(), tensor.bytes()
    try:
        with open(path, "wb") as file:
            while left:
                left -= file.write(data[:left])
    except OSError:
        path.unlink(missing_ok=True)  # its room is the next case's
        raise


# ---- what must come out ------------------------------------------------------------------------

def sample_rows(case):
    """How many rows of an output are looked at; worker.c and worker.py choose the same ones."""
    return min(case.rows, max(2, min(SAMPLE_ROWS, SAMPLE_ELEMENTS // case.cols)))


def chosen_rows(rows, n):
    n = min(rows, n)
    return numpy.array([i * (rows - 1) // (n - 1) if n > 1 else 0 for i in range(n)])


def affine(case, normal, chosen):
    if case.extra == "adaptive":
        mods = chosen // cases.ROWS_PER_MOD
        return normal * (1 + wide(case, "scale")[mods]) + wide(case, "shift")[mods]
    y = normal * wide(case, "weight")
    return y + wide(case, "bias") if case.has_bias() else y


def expected_forward(case, chosen):
    x, mean, rstd = statistics(case)
    at = chosen % len(x)
    y = affine(case, (x[at] - mean[at]) * rstd[at], chosen)
    if case.extra == "residual":
        return {"y": y, "sum": x[at]}
    if case.extra == "int8":
        scale = numpy.abs(y).max(1, keepdims=True) / 127
        return {"y": y / scale, "qscale": scale}
    return {"y": y}


@dataclasses.dataclass
class Sum:
    """Over all rows, and how exact it can be: an error in a term is one of its size, and comes
    again in each copy of the block."""
    value: numpy.ndarray
    sizes: numpy.ndarray  # sum of the terms' sizes
    spread: numpy.ndarray  # root of the sum of their squares, times the copies of the block


def sum_over_rows(case, terms, sizes):
    whole, rest = divmod(case.rows, len(terms))

    def total(values):
        return whole * values.sum(0) + values[:rest].sum(0)
    spread = numpy.sqrt((sizes**2).sum(0)) * case.rows / len(terms)
    return Sum(total(terms), total(sizes), spread)


def expected_backward(case, chosen):
    x, mean, rstd = statistics(case)
    normal = (x - mean) * rstd
    dy = wide(case, "dy")
    at = chosen % len(x)
    g, h = dy[at] * wide(case, "weight"), normal[at]
    mean_g = g.mean(1, keepdims=True) if case.has_bias() else 0
    dx = rstd[at] * (g - mean_g - h * (g * h).mean(1, keepdims=True))
    size = numpy.abs(dy)
    values = {"dx": dx, "dweight": sum_over_rows(case, dy * normal, size * (1 + numpy.abs(normal)))}
    if case.has_bias():
        values["dbias"] = sum_over_rows(case, dy, size)
    return values


class Expected:
    """Of a case, and how far a result may be from it."""

    def __init__(self, case):
        self.case, self.n = case, sample_rows(case)
        chosen = chosen_rows(case.rows, self.n)
        self.values = (expected_backward if case.direction == "backward"
                       else expected_forward)(case, chosen)

    def bound(self, tensor, expected, slack):
        relative, least = TOLERANCE[tensor.dtype], LEAST_F16 * (tensor.dtype == "f16")
        if tensor.dtype == "i8":
            return 0.51 + 127 * TOLERANCE["f32"]
        if isinstance(expected, Sum):
            error = relative * (numpy.abs(expected.value) + expected.spread)
            error *= slack if tensor.dtype != "f32" else 1
            return error + SUM_TOLERANCE * expected.sizes + least
        # where terms cancel, an error is that of the terms: of the size of a row's values
        size = numpy.abs(expected)
        return relative * (size + size.max(-1, keepdims=True)) + least

    def problem_of(self, tensor, file, slack):
        expected = self.values[tensor.name]
        value = expected.value if isinstance(expected, Sum) else expected
        value = value.reshape(-1, tensor.cols)
        got = numpy.fromfile(file, DTYPES[tensor.dtype])
        if got.size != value.size:
            return f"{tensor.name} has {got.size} elements, not {value.size}"
        got = got.reshape(value.shape).astype(numpy.float64)
        wrong = ~(numpy.abs(got - value) <= self.bound(tensor, expected, slack))
        if not wrong.any():
            return None
        at = tuple(int(i) for i in numpy.argwhere(wrong)[0])
        return (f"{tensor.name}{list(at)} of {self.n} sampled rows is {got[at]:.9g}, "
                f"not {value[at]:.9g} ({int(wrong.sum())} of {wrong.size} are wrong)")

    def problem(self, folder, peer):
        """None, or the first tensor in the folder that is wrong, and where."""
        for tensor in self.case.outputs(peer.param_dtype):
            problem = self.problem_of(tensor, folder / tensor.name, peer.slack)
            if problem:
                return problem
        return None
