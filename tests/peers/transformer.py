#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what PyTorch computes of a stack of transformer blocks: values and gradients of
torch.nn.TransformerEncoder in double, Pre-LN and Post-LN, each with the bound of its error in float
(rounding_error.py). examples/transformer --check reads it.

    python3 -m venv build/peers
    build/peers/bin/pip install torch numpy
    build/peers/bin/python tests/peers/transformer.py

    {"tokens", "width", "heads", "depth", "x", "dy",
     "parameters": {NAME: [NUMBER...]},
     "pre" and "post": {"y", "dx" and the gradient of each parameter, by its NAME:
                        {"value": [NUMBER...], "bound": [NUMBER...]}}}

Parameters have PyTorch's names and layouts."""

import json
import math
import pathlib

import torch

from record import Numbers
from rounding_error import Steps

FILE = pathlib.Path(__file__).parent / "data" / "transformer.json"
TOKENS, WIDTH, HEADS, DEPTH = 5, 6, 2, 2
EPS = 1e-5


# ---- the model --------------------------------------------------------------------------------

def encoder(pre, width=WIDTH, heads=HEADS, depth=DEPTH):
    layer = torch.nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.0,
                                             activation="gelu", layer_norm_eps=EPS, norm_first=pre,
                                             dtype=torch.float64)
    last = torch.nn.LayerNorm(width, EPS, dtype=torch.float64) if pre else None
    return torch.nn.TransformerEncoder(layer, depth, last, enable_nested_tensor=False)


def inputs():
    """x, dy and parameters: exact in float, weights of about the size that Xavier's rule gives."""
    numbers = Numbers(11)
    given = {n: torch.tensor(numbers.fill(TOKENS, WIDTH)) for n in ("x", "dy")}
    for name, value in encoder(pre=True).named_parameters():
        values = torch.tensor(numbers.fill(*value.shape)) / 4
        is_scale = "norm" in name and name.endswith("weight")
        given[name] = values + 1 if is_scale else values
    return given


def by_torch(given, pre):
    model = encoder(pre)
    model.load_state_dict({n: given[n] for n in model.state_dict()})
    x = given["x"].clone().requires_grad_()
    y = model(x)
    y.backward(given["dy"])
    return {"y": y.detach(), "dx": x.grad} | {n: p.grad for n, p in model.named_parameters()}


# ---- the same by the steps that a device takes ------------------------------------------------

class Stack(Steps):
    """examples/transformer/stack.c: sublayer i is attention or an MLP, norm i comes before it in
    Pre-LN; norm i + 1 is behind it in Post-LN."""

    def __init__(self, given, pre):
        super().__init__()
        self.given, self.pre = given, pre
        self.found = {}
        self.run()

    def name_of_norm(self, i):
        site = i if self.pre else i - 1
        return "norm" if site == 2 * DEPTH else f"layers.{site // 2}.norm{site % 2 + 1}"

    def run(self):
        g, count = self.given, 2 * DEPTH
        sums, kept, x = [g["x"]], [], None
        for i in range(count + 1):
            if i > 0:
                residual = sums[-1] if self.pre else x
                sums.append(self.add(self.add(f, g[self.bias_of(i - 1)]), residual))
            x = self.forward_norm(i, sums[i])
            if i < count:
                f, state = (self.mlp if i % 2 else self.attention)(i // 2, x)
                kept.append((x, *state))
        self.found["y"] = x
        dy, dsum = g["dy"], None
        for i in range(count, -1, -1):
            dsum = self.backward_norm(i, sums[i], dy, dsum if self.pre else None)
            if i > 0:
                back = self.mlp_backward if i % 2 == 0 else self.attention_backward
                dy = back((i - 1) // 2, dsum, None if self.pre else dsum, *kept[i - 1])
        self.found["dx"] = dsum if self.pre else dy

    def bias_of(self, i):
        return f"layers.{i // 2}." + ("linear2.bias" if i % 2 else "self_attn.out_proj.bias")

    def forward_norm(self, i, s):
        if i == 0 and not self.pre:
            return s
        name = self.name_of_norm(i)
        return self.norm(s, self.given[name + ".weight"], self.given[name + ".bias"], EPS)

    def backward_norm(self, i, s, dy, dsum):
        if i == 0 and not self.pre:
            return dsum
        name = self.name_of_norm(i)
        dx, dweight, dbias, dx_bias = self.norm_backward(s, self.given[name + ".weight"], dy, EPS,
                                                         dsum)
        self.found |= {name + ".weight": dweight, name + ".bias": dbias}
        if i > 0:
            self.found[self.bias_of(i - 1)] = dx_bias
        return dx

    def linear(self, x, name):
        return self.add(self.product(x, self.given[name + "weight"].T), self.given[name + "bias"])

    def linear_backward(self, name, x, dy, plus):
        self.found[name + "weight"] = self.product(dy.T, x)
        self.found[name + "bias"] = self.sum_rows(dy)
        return self.product(dy, self.given[name + "weight"], plus=plus)

    def mlp(self, layer, x):
        h = self.linear(x, f"layers.{layer}.linear1.")
        a = self.gelu(h)
        return self.product(a, self.given[f"layers.{layer}.linear2.weight"].T), (h, a)

    def mlp_backward(self, layer, df, plus, x, h, a):
        name = f"layers.{layer}.linear2.weight"
        self.found[name] = self.product(df.T, a)
        dh = self.gelu_backward(h, self.product(df, self.given[name]))
        return self.linear_backward(f"layers.{layer}.linear1.", x, dh, plus)

    def attention(self, layer, x):
        name = f"layers.{layer}.self_attn."
        q, k, v = heads(self.linear(x, name + "in_proj_"), 3)
        p = self.softmax(self.product(q, k.mT, self.alpha(q)))
        o = joined([self.product(p, v)])
        return self.product(o, self.given[name + "out_proj.weight"].T), (q, k, v, p, o)

    def attention_backward(self, layer, df, plus, x, q, k, v, p, o):
        name = f"layers.{layer}.self_attn."
        self.found[name + "out_proj.weight"] = self.product(df.T, o)
        do, = heads(self.product(df, self.given[name + "out_proj.weight"]), 1)
        ds = self.softmax_backward(p, self.product(do, v.mT))
        dqkv = joined([self.product(ds, k, self.alpha(q)), self.product(ds.mT, q, self.alpha(q)),
                       self.product(p.mT, do)])
        return self.linear_backward(name + "in_proj_", x, dqkv, plus)

    @staticmethod
    def alpha(q):
        return 1 / math.sqrt(q.shape[-1])


def heads(x, parts):
    """[tokens, parts heads width / heads] as parts of [heads, tokens, width / heads]."""
    return [part.reshape(TOKENS, HEADS, -1).transpose(0, 1) for part in x.chunk(parts, -1)]


def joined(parts):
    return torch.cat([part.transpose(0, 1).reshape(TOKENS, -1) for part in parts], -1)


# ---- the file ---------------------------------------------------------------------------------

def rounded(values, digits):
    return [float(f"{v:.{digits}g}") for v in values.flatten().tolist()]


def expected(given, pre):
    values, stack = by_torch(given, pre), Stack(given, pre)
    assert values.keys() == stack.found.keys(), values.keys() ^ stack.found.keys()
    results = {}
    for name, value in values.items():
        ours, largest = stack.found[name], value.abs().max()
        wrong = (ours - value).abs().max() / largest
        assert wrong < 1e-12, f"{name} differs from PyTorch's by {wrong} of its largest element"
        bounds = stack.bounds(ours)
        results[name] = {"value": rounded(value, 13), "bound": rounded(1.01 * bounds, 3)}
        print(f"{name:40} largest {largest:8.3g} bound {bounds.max():.2g}")
    return results


def main():
    torch.set_num_threads(1)
    given = inputs()
    flat = {name: value.flatten().tolist() for name, value in given.items()}
    fixture = {"made_by": "tests/peers/transformer.py with PyTorch "
                          + torch.__version__.split("+")[0],
               "tokens": TOKENS, "width": WIDTH, "heads": HEADS, "depth": DEPTH,
               "x": flat.pop("x"), "dy": flat.pop("dy"), "parameters": flat,
               "pre": expected(given, True), "post": expected(given, False)}
    FILE.write_text(text(fixture) + "\n")
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")


def text(value, indent=""):
    """JSON with an array in a line."""
    if not isinstance(value, dict):
        return json.dumps(value)
    inner = indent + " "
    lines = [f"{inner}{json.dumps(k)}: {text(v, inner)}" for k, v in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + indent + "}"


if __name__ == "__main__":
    main()
