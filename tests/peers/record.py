# SPDX-License-Identifier: MIT
"""Inputs, cases, and the text that cases are written as (read by tests/peers_file.c)."""

import numpy as np

UNITS = {"f64": 2.0**-53, "f32": 2.0**-24}
# Where it is not all double or float. Backward cases are.
FIELD_OF = {"x": "x_dtype", "residual": "residual_dtype", "sum": "residual_dtype", "y": "y_dtype",
            "weight": "param_dtype", "bias": "param_dtype"}


class Numbers:
    """Odd multiples of 1/128 between -2 and 2: exact in every type down to bf16, and never 0."""

    def __init__(self, seed):
        self.state = seed * 2654435761 % 2**32

    def fill(self, *shape):
        values = []
        for _ in range(int(np.prod(shape))):
            self.state = (self.state * 1664525 + 1013904223) % 2**32
            values.append(((self.state >> 24) * 2 - 255) / 128)
        return np.array(values, np.float64).reshape(shape)


class Case:
    """What one call of a peer got and gave, as tensors of clnorm's shapes."""

    def __init__(self, name, kind, rows, cols, dtype="f64", unit=None, **desc):
        """unit: roundoff of the peer's arithmetic, if it is not that of dtype."""
        self.name, self.rows = name, rows
        self.unit = UNITS[dtype] if unit is None else unit
        self.desc = {"kind": kind, "cols": cols, "x_dtype": dtype, "y_dtype": dtype,
                     "param_dtype": dtype, **desc}
        self.parts = {"": [], "forward": [], "backward": []}

    def dtype_of(self, tensor):
        if tensor in ("qsum", "qzero"):
            return "i32" if tensor == "qsum" else "i8"
        wide = "f64" if self.desc["x_dtype"] == "f64" else "f32"
        return self.desc.get(FIELD_OF.get(tensor), wide)

    def give(self, part="", **tensors):
        self.parts[part] += [("in", k, v) for k, v in tensors.items() if v is not None]

    def expect(self, part, **tensors):
        self.parts[part] += [("out", k, v) for k, v in tensors.items() if v is not None]

    def text(self):
        lines = [f"case {self.name}", "desc " + " ".join(f"{k}={field(v)}" for k, v in
                                                         self.desc.items()),
                 f"rows {self.rows}", f"unit {number(self.unit)}"]
        for part, tensors in self.parts.items():
            if part and tensors:
                lines.append(part)
            for way, name, values in tensors:
                values = np.atleast_1d(np.asarray(values, np.float64))
                shape = "x".join(map(str, values.shape))
                lines.append(f"{way} {name} {self.dtype_of(name)} {shape}")
                lines += [" ".join(map(number, row)) for row in values.reshape(-1,
                                                                            values.shape[-1])]
        return "\n".join(lines) + "\nend\n"


def number(value):
    """C99 %a without zeros at the end."""
    value = float(value)
    if not np.isfinite(value):
        return str(value)
    mantissa, exponent = value.hex().split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}"


def field(value):
    return number(value) if isinstance(value, float) else str(value)
