#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what transformer --json wrote, one file for each seed:

    python3 examples/transformer/plot.py FILE... -o docs/transformer.svg

Left: the gradient of the last weight of each block of the deepest stack. Right: that of the last
block, by depth. Lines are means over the files, bands go from the least to the largest. Needs
matplotlib (Debian: python3-matplotlib)."""

import argparse
import collections
import json
import math
import os

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import ScalarFormatter  # noqa: E402

WEIGHT = "linear2.weight"
STYLES = {"pre": ("Pre-LN", "#1f6feb", "o"), "post": ("Post-LN", "#d1570c", "s")}


def read(paths):
    """{norm: {depth: [norms by block of each file]}} and what the files have in common."""
    runs, common = collections.defaultdict(lambda: collections.defaultdict(list)), None
    for path in paths:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        sizes = [found[k] for k in ("width", "heads", "tokens")] + [found["device"]["name"]]
        if common not in (None, sizes):
            raise ValueError(f"{path} is of {sizes}, and {paths[0]} of {common}")
        common = sizes
        for run in found["runs"]:
            runs[run["norm"]][run["depth"]].append(run["gradients"][WEIGHT])
    return runs, common


def draw(axes, norm, x, samples):
    """samples: for each x, the numbers of all files."""
    label, colour, marker = STYLES[norm]
    means = [math.fsum(s) / len(s) for s in samples]
    axes.plot(x, means, color=colour, marker=marker, markersize=4, label=label)
    axes.fill_between(x, [min(s) for s in samples], [max(s) for s in samples], color=colour,
                      alpha=0.2, linewidth=0)
    return means


def draw_blocks(axes, runs):
    for norm, by_depth in runs.items():
        samples = list(zip(*by_depth[max(by_depth)]))
        draw(axes, norm, range(1, len(samples) + 1), samples)
    axes.set(title=f"each of {max(max(d) for d in runs.values())} blocks", xlabel="block",
             ylabel=f"|gradient of {WEIGHT}|", ylim=(0, None))


def draw_depths(axes, runs):
    for norm, by_depth in runs.items():
        depths = sorted(by_depth)
        means = draw(axes, norm, depths, [[b[-1] for b in by_depth[d]] for d in depths])
        if norm == "pre":
            axes.plot(depths, [means[0] * math.sqrt(depths[0] / d) for d in depths], "k:",
                      linewidth=1, label="1 / √depth")
    axes.set(title="the last block", xlabel="blocks", xscale="log", yscale="log", xticks=depths)
    axes.tick_params(axis="x", which="minor", bottom=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter("")


def main():
    parser = argparse.ArgumentParser(description="Draw what transformer --json wrote.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("-o", "--output", required=True, metavar="SVG")
    options = parser.parse_args()
    try:
        runs, (width, heads, tokens, device) = read(options.files)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        parser.error(f"must be files of transformer --json: {problem!r}")
    matplotlib.rcParams.update({"svg.hashsalt": "clnorm", "font.size": 9})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    draw_blocks(left, runs)
    draw_depths(right, runs)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(f"Gradients of a new stack, width {width}, {heads} heads, {tokens} tokens, "
                    f"{len(options.files)} seeds, on {device}", fontsize=9)
    temporary = options.output + ".new"
    figure.savefig(temporary, format="svg", metadata={"Date": None})
    os.replace(temporary, options.output)


if __name__ == "__main__":
    main()
