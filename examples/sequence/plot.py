#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""plot.py DIRECTORY OUT.svg: the curves of what `experiment` wrote, and their table on stdout.

Needs matplotlib: Debian's python3-matplotlib.
"""
import json
import math
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

STEPS_OF_A_POINT = 10  # a point of a curve is the mean of that many steps
COLOURS = {"layer": "#0072b2", "none": "#d55e00"}
NAMES = {"layer": "LN-RNN", "none": "plain RNN"}
ANSWER_ONE = 1 / 6  # the squared error of a net that answers 1 whatever the sequence


def read(directory):
    runs = [json.loads(path.read_text()) for path in sorted(pathlib.Path(directory).glob("*.json"))]
    if not runs:
        sys.exit(f"plot.py: {directory}: has no .json file of a run")
    return runs


def chosen(runs, **wanted):
    return [run for run in runs
            if all(run["settings"][name] == value for name, value in wanted.items())]


def means(values):
    parts = [values[i:i + STEPS_OF_A_POINT] for i in range(0, len(values), STEPS_OF_A_POINT)]
    return [math.nan if None in part else sum(part) / len(part) for part in parts]


def draw(axes, runs, curve):
    for run in runs:
        norm = run["settings"]["norm"]
        points = means(run["training"][curve])
        axes.plot([STEPS_OF_A_POINT * (i + 0.5) for i in range(len(points))], points,
                  color=COLOURS[norm], linewidth=1, label=NAMES[norm])
    axes.set_yscale("log")
    axes.grid(True, alpha=0.3)


def plot(runs, out):
    steps = min(run["settings"]["steps"] for run in runs)
    runs = chosen(runs, task="adding", scale=1.0, steps=steps)
    rates = sorted({run["settings"]["rate"] for run in runs})
    rows = [("identity", "loss"), ("identity", "gradient_norm"), ("orthogonal", "loss")]
    figure, grid = pyplot.subplots(len(rows), len(rates), sharex=True, sharey="row",
                                   figsize=(9, 8), squeeze=False, layout="constrained")
    for axes_of_row, (init, curve) in zip(grid, rows):
        for axes, rate in zip(axes_of_row, rates):
            draw(axes, chosen(runs, init=init, rate=rate), curve)
            axes.set_title(f"w_h {init}, rate {rate:g}", fontsize=9)
            if curve == "loss":
                axes.axhline(ANSWER_ONE, color="black", linestyle=":", linewidth=1)
                axes.set_ylim(3e-3, 1e2)
        axes_of_row[0].set_ylabel({"loss": "squared error"}.get(curve, "norm of the gradient"))
    for axes in grid[-1]:
        axes.set_xlabel("training step")
    handles, labels = grid[0][0].get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    grid[0][0].legend(unique.values(), unique.keys(), fontsize=8)
    figure.savefig(out, metadata={"Date": None})


def spread(values):
    if not all(math.isfinite(value) for value in values):
        return "no number"
    deviation = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3g}{deviation}"


def cells(group):
    """Test loss, share of wrong sequences, largest norm of a gradient; of all seeds."""
    if not group:
        return "| | |"
    losses = [math.nan if run["test"]["loss"] is None else run["test"]["loss"] for run in group]
    largest = max(math.inf if norm is None else norm
                  for run in group for norm in run["training"]["gradient_norm"])
    wrong = statistics.mean(100 * run["test"]["error"] for run in group)
    return f"{spread(losses)} | {wrong:.0f} % | {largest:.1g}"


def table(runs):
    names = ("task", "steps", "init", "scale", "rate")
    heads = " | ".join(f"{name} | wrong | \\|g\\|" for name in NAMES.values())
    print(f"| task | steps | w_h | w_x | rate | {heads} |")
    print("|---" * (len(names) + 3 * len(NAMES)) + "|")
    for key in sorted({tuple(run["settings"][name] for name in names) for run in runs}):
        task, steps, init, scale, rate = key
        group = chosen(runs, **dict(zip(names, key)))
        both = " | ".join(cells(chosen(group, norm=norm)) for norm in NAMES)
        print(f"| {task} | {steps} | {init} | × {scale:g} | {rate:g} | {both} |")


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py DIRECTORY OUT.svg")
    matplotlib.rcParams.update({"svg.hashsalt": "clnorm", "svg.fonttype": "none"})
    runs = read(sys.argv[1])
    plot(runs, sys.argv[2])
    table(runs)


if __name__ == "__main__":
    main()
