#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""plot.py DIRECTORY FILE.svg: NLL and error of the test, layer against batch norm, as in figure 6 of
arXiv:1607.06450; bands are a standard deviation wide to each side. The suffix of FILE chooses the
format. Needs matplotlib: Debian's python3-matplotlib."""
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import runs  # noqa: E402

COLOURS = {"layer": "#0072b2", "batch": "#d55e00"}
NAMES = {"layer": "layer norm", "batch": "batch norm"}
ROWS = (("test_nll", "test NLL", 1), ("test_error", "test error, %", 100))


def draw(axes, group, norm, name, factor):
    steps = runs.steps(group[0])
    mean, deviation = runs.curve(group, name)
    mean = [factor * value for value in mean]
    deviation = [factor * value for value in deviation]
    axes.plot(steps, mean, color=COLOURS[norm], label=NAMES[norm], linewidth=1.5)
    if len(group) > 1:
        axes.fill_between(steps, [m - d for m, d in zip(mean, deviation)],
                          [m + d for m, d in zip(mean, deviation)], color=COLOURS[norm],
                          alpha=0.25, linewidth=0)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py DIRECTORY FILE.svg")
    found = runs.read(sys.argv[1])
    batches = sorted({batch for _, batch in found}, reverse=True)
    plt.rcParams["svg.hashsalt"] = "clnorm"  # the same file from the same results
    figure, grid = plt.subplots(len(ROWS), len(batches), sharex="col", squeeze=False,
                                figsize=(4 * len(batches), 5.5))
    for row, (name, label, factor) in enumerate(ROWS):
        for column, batch in enumerate(batches):
            axes = grid[row][column]
            for norm in runs.NORMS:
                if (norm, batch) in found:
                    draw(axes, found[norm, batch], norm, name, factor)
            axes.grid(alpha=0.3)
            if row == 0:
                count = max(len(group) for pair, group in found.items() if pair[1] == batch)
                axes.set_title(f"batch {batch}, {count} seeds")
            if row == len(ROWS) - 1:
                axes.set_xlabel("step")
            if column == 0:
                axes.set_ylabel(label)
    grid[0][0].legend()
    figure.tight_layout()
    try:
        figure.savefig(sys.argv[2], metadata={"Date": None} if sys.argv[2].endswith(".svg") else {})
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[2]}: {error}")


main()
