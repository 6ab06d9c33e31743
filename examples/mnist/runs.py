# SPDX-License-Identifier: MIT
"""The runs of `experiment`: their files, and what they have in common."""
import json
import math
import pathlib
import statistics
import sys

NORMS = ("layer", "batch")
BATCHES = (128, 4)


def path_of(directory, norm, batch, seed):
    return pathlib.Path(directory) / f"{norm}-{batch}-{seed}.json"


def read(directory):
    """{(norm, batch): [run]}; runs of a pair have evaluations after the same steps."""
    runs = {}
    for path in sorted(pathlib.Path(directory).glob("*-*-*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        settings = run["settings"]
        runs.setdefault((settings["norm"], settings["batch"]), []).append(run)
    if not runs:
        sys.exit(f"{directory}: has no results")
    for (norm, batch), group in runs.items():
        if len({tuple(steps(run)) for run in group}) > 1:
            sys.exit(f"{directory}: runs of {norm} norm, batch {batch} differ in their steps")
    return runs


def steps(run):
    return [point["step"] for point in run["evaluations"]]


def spread(values):
    """Mean and standard deviation of a sample; NaN for a single value."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan


def curve(runs, name):
    """Means and standard deviations over the runs, after each evaluation."""
    columns = zip(*([point[name] for point in run["evaluations"]] for run in runs))
    return [list(column) for column in zip(*map(spread, columns))]


def table(runs):
    """Lines of markdown: the last evaluation of each pair."""
    lines = ["| batch | norm | runs | steps | test error | test NLL | training NLL |",
             "|---|---|---|---|---|---|---|"]
    for (norm, batch), group in sorted(runs.items(), key=lambda item: (-item[0][1], item[0][0])):
        last = [run["evaluations"][-1] for run in group]
        error = spread([100 * point["test_error"] for point in last])
        cells = ["%.2f ± %.2f %%" % error]
        for name in "test_nll", "train_nll":
            cells.append("%.4f ± %.4f" % spread([point[name] for point in last]))
        lines.append(f"| {batch} | {norm} | {len(group)} | {last[0]['step']} | "
                     + " | ".join(cells) + " |")
    return lines
