#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare_merge.py COMMAND FIXTURES: files of the same devices from several runs, merged in any order
and number, also those that are merged already, are valid; of each case the last file's result is
there, and with it all that was true of the run that measured it."""
import copy
import json
import random
import subprocess
import sys
from pathlib import Path

command, fixtures = sys.argv[1], Path(sys.argv[2])
rng = random.Random(1)
RUN_KEYS = ("created", "command", "tool", "host", "settings")


def run(*arguments, **more):
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def exact(value):
    """With the digits that a merged file keeps."""
    if isinstance(value, dict):
        return {key: exact(v) for key, v in value.items()}
    if isinstance(value, list):
        return [exact(v) for v in value]
    return float(f"{value:.15g}") if isinstance(value, float) else value


def variation(number):
    """Of some of the devices and cases, and with other facts of its run."""
    text = run(sys.executable, str(fixtures / "bench_results.py"), "--devices", "2", "--cases", "6")
    text = run(sys.executable, str(fixtures / "vary.py"), "--seed", str(number),
               "--empty", str(rng.choice([0.3, 1, 4, 30])), input=text)
    d = exact(json.loads(text))
    d["created"] = f"2026-11-22T07:06:{number:02}Z"
    d["command"] = rng.choice(["clnorm bench", f"clnorm bench --seed {number}", None, KeyError])
    if d["command"] is KeyError:
        del d["command"]
    d["tool"]["commit"] = rng.choice(["0123456789ab", "fedcba987654", None])
    d["settings"]["rounds"] += rng.randrange(2)
    d["host"]["load"] = rng.random()
    for device in d["devices"]:
        device["launch_seconds"] *= 1 + rng.random()
        device["driver_version"] = rng.choice(["1.0", "2.0"])
        for key in ("timer", "copy_curve", "empty_seconds"):
            if rng.random() < 0.2:
                device[key] = None
        if rng.random() < 0.2:
            del device["launch_seconds"]
    if rng.random() < 0.3:
        d["devices"].reverse()
        for r in d["results"]:
            r["device"] = 1 - r["device"]
    share = rng.choice([0.3, 0.6, 1])
    d["results"] = [r for r in d["results"] if rng.random() < share]
    return exact(d)


def measured(document):
    """{(device, case): (the result, all facts of its run)}; what is null is not there."""
    found = {}
    for result in document["results"]:
        device = copy.deepcopy(document["devices"][result["device"]])
        runs = device.pop("runs", [])
        facts = {**{key: document.get(key) for key in RUN_KEYS}, **device}
        facts.update(runs[result["run"]] if "run" in result else {})
        own = {key: v for key, v in result.items() if key not in ("device", "run")}
        found[device["id"], result["case"]] = (own, {k: v for k, v in facts.items() if v is not None})
    return found


names, known = [], {}
for i in range(10):
    names.append(f"variation-{i}.json")
    document = variation(i)
    Path(names[-1]).write_text(json.dumps(document))
    known[names[-1]] = measured(document)
run(command, "compare", "--validate", *names)
several = 0
for i in range(40):
    chosen = rng.choices(names, k=rng.randrange(2, 5))
    expected = {}
    for name in chosen:
        expected.update(known[name])
    whole = f"merged-{i}.json"
    run(command, "compare", "--merge", *chosen, "-o", whole, stderr=subprocess.DEVNULL)
    run(command, "compare", "--validate", whole)
    document = json.loads(Path(whole).read_text())
    assert measured(document) == expected, f"{whole} of {chosen}"
    assert len(document["devices"]) == 2, f"{whole} of {chosen} has {len(document['devices'])} devices"
    used = {(r["device"], r.get("run")) for r in document["results"]}
    for place, device in enumerate(document["devices"]):
        runs = len(device.get("runs", []))
        several += runs > 1
        assert all((place, k) in used for k in [None, *range(runs)]) or runs == 0, f"{whole}: an empty run"
    names.append(whole)
    known[whole] = expected
assert several > 20, f"{several} devices of three runs or more: the test tests little"
