#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench_read.py JSON JSONL CSV SQL MD: strict readers take each format of one run apart, and find
the same cases and the same seconds in all of them."""
import csv
import json
import math
import sqlite3
import sys


def refuse(name):
    raise ValueError(f"{name} is no JSON")


def unique(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key twice: {keys}")
    return dict(pairs)


def strict(text):
    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)


def close(a, b):
    return a is None and b is None or math.isclose(float(a), float(b), rel_tol=1e-8)  # 9 digits


def median(values):
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def follow(result):
    """What follows from the rounds is in the file."""
    if result["status"] != "ok":
        assert "seconds" not in result and "rounds" not in result, result["case"]
        return
    times = [median(r["seconds"]) for r in result["rounds"]]
    copies = [median(r["copy_seconds"]) for r in result["rounds"]]
    share = result["bytes"] / result["copy_bytes"]
    ratio = median([share * median([c / t for c, t in zip(r["copy_seconds"], r["seconds"])])
                    for r in result["rounds"]])
    assert 1 <= share < 3, share
    for key, got, wanted in [
            ("median", result["seconds"]["median"], median(times)),
            ("of_copy", result["of_copy"], ratio),
            ("rate", result["bytes_per_second"], result["bytes"] / median(times)),
            ("copy's rate", result["copy_bytes_per_second"],
             result["copy_bytes"] / median(copies))]:
        if not math.isclose(got, wanted, rel_tol=1e-9):
            sys.exit(f"{result['case']}: {key} is {got}, the rounds say {wanted}")
    assert result["check"]["verdict"] == "ok" and result["check"]["compared"] > 0
    histogram = result["check"]["ulp_histogram"]
    assert len(histogram) == 8 and 0 < sum(histogram) <= result["check"]["compared"]


def main():
    whole, lines, table, sql, markdown = sys.argv[1:]
    with open(whole, encoding="utf-8") as file:
        document = strict(file.read())
    assert document["schema"] == "clnorm.bench/1" and document["complete"] is True
    wanted = {r["case"]: r for r in document["results"]}
    assert len(wanted) == len(document["results"]) > 0
    for result in document["results"]:
        follow(result)
    with open(lines, encoding="utf-8") as file:
        read = [strict(line) for line in file]
    assert [r["case"] for r in read] == list(wanted)
    for r in read:
        assert r["device"]["name"] == document["devices"][wanted[r["case"]]["device"]]["name"]
        assert r["schema"] == document["schema"] and r.get("seconds") == wanted[r["case"]].get("seconds")
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    database = sqlite3.connect(":memory:")
    with open(sql, encoding="utf-8") as file:
        database.executescript(file.read())
    found = dict(database.execute("SELECT case_name, seconds FROM clnorm_bench"))
    for r in rows:
        seconds = wanted[r["case_name"]].get("seconds", {}).get("median")
        assert close(r["seconds"] or None, seconds) and close(found[r["case_name"]], seconds), r
        assert None not in r and len(r) == 33, r
    assert len(rows) == len(wanted) == len(found)
    with open(markdown, encoding="utf-8") as file:
        shown = [line for line in file if line.startswith("| ")]
    assert len(shown) == len(wanted) + 1
    assert len({line.replace("\\|", "").count("|") for line in shown}) == 1
    print(f"{len(wanted)} cases in five formats")


if __name__ == "__main__":
    main()
