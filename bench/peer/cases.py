# SPDX-License-Identifier: MIT
"""What is measured: a table of cases, and the words that tell a worker about one."""

import dataclasses

BYTES = {"f32": 4, "f16": 2, "bf16": 2, "i8": 1}
GIB = 1 << 30
EPS = 1e-5
ROWS_PER_MOD = 1024

# band: shapes
BANDS = {
    "out": [(524288, 768), (98304, 4096), (32768, 8192), (2048, 65536), (128, 1048576),
            (4194304, 64)],
    "in": [(4096, 768), (512, 768), (64, 8192)],
    "launch": [(16, 768), (1, 4096)],
}
FUSED_SHAPE = (262144, 768)
# of the quick list: 1 GiB is moved in f32
QUICK_SHAPE, QUICK_RESIDUAL, QUICK_BACKWARD = (176128, 768), (88064, 768), (11264, 8192)
GROWTH_GIB = (1, 2, 4, 8)
# of 1 GiB that is moved, rows and cols; only 256 to 2^20 columns are judged
GROWTH_COLS = (32, 64, 256, 1024, 4096, 65536, 1048576, 1 << 27)
GROWTH_TALL = ((1 << 21, 256), (1 << 24, 32))


@dataclasses.dataclass(frozen=True)
class Tensor:
    name: str
    dtype: str
    rows: int
    cols: int

    def bytes(self):
        return self.rows * self.cols * BYTES[self.dtype]

    def word(self, path=None):
        parts = [self.dtype, str(self.rows), str(self.cols)] + ([path] if path else [])
        return ":".join(parts)


@dataclasses.dataclass(frozen=True)
class Case:
    band: str  # out, in, launch, growth
    op: str  # layer_norm, rms_norm
    direction: str
    dtype: str
    rows: int
    cols: int
    extra: str = "-"  # residual (and the sum out), adaptive (scale, shift by groups of rows), int8

    @property
    def name(self):
        extra = "" if self.extra == "-" else "+" + self.extra
        growth = "growth/" if self.band == "growth" else ""
        return f"{growth}{self.op}{extra}/{self.direction}/{self.dtype}/{self.rows}x{self.cols}"

    def has_bias(self):
        return self.op == "layer_norm"

    def inputs(self, param_dtype=None):
        """Tensors that are read; weight and bias may be of another dtype than x."""
        rows, cols, dtype = self.rows, self.cols, self.dtype
        param = param_dtype or dtype
        tensors = [Tensor("x", dtype, rows, cols)]
        if self.extra == "residual":
            tensors.append(Tensor("residual", dtype, rows, cols))
        if self.extra == "adaptive":
            mods = rows // ROWS_PER_MOD
            return tensors + [Tensor(name, param, mods, cols) for name in ("scale", "shift")]
        tensors.append(Tensor("weight", param, 1, cols))
        if self.has_bias():
            tensors.append(Tensor("bias", param, 1, cols))
        if self.direction == "backward":
            tensors.append(Tensor("dy", dtype, rows, cols))
            if self.has_bias():
                tensors.append(Tensor("mean", "f32", 1, rows))
            tensors.append(Tensor("rstd", "f32", 1, rows))
        return tensors

    def outputs(self, param_dtype=None):
        rows, cols, dtype = self.rows, self.cols, self.dtype
        if self.direction == "backward":
            param = param_dtype or dtype
            names = ["dweight", "dbias"] if self.has_bias() else ["dweight"]
            return [Tensor("dx", dtype, rows, cols)] + [Tensor(n, param, 1, cols) for n in names]
        if self.extra == "int8":
            return [Tensor("y", "i8", rows, cols), Tensor("qscale", "f32", rows, 1)]
        extra = [Tensor("sum", dtype, rows, cols)] if self.extra == "residual" else []
        return [Tensor("y", dtype, rows, cols)] + extra

    def streams(self):
        """Of the companion: what is read and written in full."""
        if self.direction == "backward":
            return "x,dy:dx"
        return "x,residual:sum,y" if self.extra == "residual" else "x:y"

    def useful_bytes(self):
        return sum(t.bytes() for t in self.inputs() + self.outputs())

    def descriptor(self):
        """Fields of clnorm_desc that are not its defaults."""
        fields = {"kind": self.op, "cols": self.cols, "eps": EPS, "x_dtype": self.dtype,
                  "y_dtype": "i8" if self.extra == "int8" else self.dtype,
                  "param_dtype": self.dtype}
        if self.extra == "residual":
            fields["inputs"] = "residual"
        if self.extra == "adaptive":
            fields.update(inputs="modulation", rows_per_mod=ROWS_PER_MOD, scale_offset=1)
        if self.extra == "int8":
            fields["quant"] = "row"
        return fields

    def words(self, paths, param_dtype=None):
        """Of `prepare`: what it is, the descriptor, the tensors."""
        words = {"op": self.op, "direction": self.direction, "dtype": self.dtype,
                 "extra": self.extra, "rows": self.rows, "cols": self.cols, "eps": EPS,
                 "streams": self.streams()}
        words.update({f"set.{name}": value for name, value in self.descriptor().items()})
        for tensor in self.inputs(param_dtype):
            words[f"in.{tensor.name}"] = tensor.word(paths(tensor))
        for tensor in self.outputs(param_dtype):
            words[f"out.{tensor.name}"] = tensor.word()
        return " ".join(f"{key}={value}" for key, value in words.items())


def grid(bands=BANDS, dtypes=("f32", "f16", "bf16")):
    """Cases of one shape and dtype stand together: they share inputs."""
    return [Case(band, op, direction, dtype, rows, cols)
            for band, shapes in bands.items() for rows, cols in shapes for dtype in dtypes
            for direction in ("forward", "backward") for op in ("layer_norm", "rms_norm")]


def fused(shape=FUSED_SHAPE, extras=("residual", "adaptive", "int8")):
    return [Case("out", "layer_norm", "forward", "f32", *shape, extra) for extra in extras]


def growth():
    cases = []
    for gib in GROWTH_GIB:
        rows = gib * GIB // (4 * 4 * 768)
        cases.append(Case("growth", "layer_norm", "forward", "f32", rows, 768, "residual"))
    shapes = [(GIB // 8 // cols, cols) for cols in GROWTH_COLS] + list(GROWTH_TALL)
    return cases + [Case("growth", "layer_norm", "forward", "f32", *shape) for shape in shapes]


def everything():
    return grid() + fused() + growth()


def quick():
    return [
        Case("out", "layer_norm", "backward", "f32", *QUICK_BACKWARD),
        Case("out", "layer_norm", "forward", "bf16", 2048, 65536),
        Case("out", "layer_norm", "forward", "f32", 2048, 65536),
        Case("out", "layer_norm", "forward", "f32", *QUICK_SHAPE),
        *fused(QUICK_SHAPE, ("adaptive",)),
        *fused(QUICK_RESIDUAL, ("residual",)),
        *fused(extras=("int8",)),
        *grid({"in": [(4096, 768)]}, ["f32"]),
        Case("in", "layer_norm", "forward", "f32", 512, 768),
        Case("in", "layer_norm", "backward", "f32", 512, 768),
        Case("launch", "layer_norm", "forward", "f32", 16, 768),
        Case("launch", "layer_norm", "backward", "f32", 16, 768),
    ]
