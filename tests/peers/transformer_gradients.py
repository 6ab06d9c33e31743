#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does PyTorch find gradients of the same size in the same stacks? Reads what examples/transformer
--json wrote, makes the same random numbers, and prints by how much the norms differ:

    build/peers/bin/python tests/peers/transformer_gradients.py FILE

The exit code is 1 if one differs by more than 1e-4 of itself: a mistake, not rounding. (But of two
columns a norm leaves little more than signs: gradients of a width of 2 are mostly rounding.)"""

import json
import sys

import numpy as np
import torch

import transformer

MOST = 1e-4


# ---- examples/common/random.c, examples/transformer/gradients.c -------------------------------

def mix(z):
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
    return z ^ z >> np.uint64(31)


def random(shape, variance, seed, stream):
    place = np.arange(1, np.prod(shape) + 1, dtype=np.uint64)
    key = mix(mix(np.array([seed + 1], np.uint64)) + np.uint64(stream))
    bits = mix(key + place * np.uint64(0x9e3779b97f4a7c15))
    uniform = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    values = (np.sqrt(3 * variance) * (2 * uniform - 1)).astype(np.float32)
    return torch.tensor(values.astype(np.float64)).reshape(shape)


# The order of enum tf_parameter.
NAMES = ["self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight",
         "self_attn.out_proj.bias", "linear1.weight", "linear1.bias", "linear2.weight",
         "linear2.bias", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"]


def fill(name, p, seed):
    if p.dim() == 1:
        return p.data.fill_(1 if "norm" in name and name.endswith("weight") else 0)
    _, block, own = name.split(".", 2)
    outputs = p.shape[0] // (3 if own == NAMES[0] else 1)
    stream = 2 + int(block) * len(NAMES) + NAMES.index(own)
    return p.data.copy_(random(p.shape, 2 / (outputs + p.shape[1]), seed, stream))


def norms(run, found):
    tokens, width, seed = found["tokens"], found["width"], found["seed"]
    model = transformer.encoder(run["norm"] == "pre", width, found["heads"], run["depth"])
    for name, p in model.named_parameters():
        fill(name, p, seed)
    model(random((tokens, width), 1, seed, 0)).backward(
        random((tokens, width), 1 / tokens**2, seed, 1))
    gradients = {name: float(p.grad.norm()) for name, p in model.named_parameters()}
    return {own: [gradients[f"layers.{i}.{own}"] for i in range(run["depth"])]
            for own in run["gradients"]}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = json.load(file)
    worst = 0
    for run in found["runs"]:
        peer = norms(run, found)
        wrong = max(abs(ours / theirs - 1) for name, values in run["gradients"].items()
                    for ours, theirs in zip(values, peer[name], strict=True))
        print(f"{run['norm']:4} {run['depth']:3} blocks: {wrong:.2g}")
        worst = max(worst, wrong)
    sys.exit(not worst <= MOST)


if __name__ == "__main__":
    main()
