#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sequence.py ONE AGAIN OTHER DIVERGED: what the runs of sequence.sh wrote."""
import json
import math
import pathlib
import sys

texts = [pathlib.Path(path).read_text() for path in sys.argv[1:]]
one, again, other, diverged = (json.loads(text) for text in texts)
assert texts[0] == texts[1], "the same seed gives other bits"
assert one["training"]["loss"] != other["training"]["loss"], "another seed gives the same bits"
for run in (one, other):
    training = run["training"]
    loss = training["loss"]
    assert len(loss) == training["steps"] == run["settings"]["steps"] == len(training["gradient_norm"])
    assert not training["diverged"]
    assert all(math.isfinite(norm) and norm > 0 for norm in training["gradient_norm"])
    # the squared error of a net that answers 1 is 1 / 6
    assert sum(loss[-10:]) / 10 < 0.1 < 1 / 6 < loss[0], f"the loss goes from {loss[0]} to {loss[-1]}"
    assert run["test"]["loss"] < 0.1 and 0 < run["test"]["error"] < 1, run["test"]
    assert run["test"]["wrong"] == round(run["test"]["error"] * run["test"]["sequences"])
training = diverged["training"]
assert training["diverged"] and len(training["loss"]) == training["steps"] < 200
assert training["gradient_norm"][-1] is None and diverged["test"]["error"] == 1
print(f"losses: {one['training']['loss'][0]:.3f} to {one['test']['loss']:.4f}, "
      f"{other['training']['loss'][0]:.3f} to {other['test']['loss']:.4f}")
