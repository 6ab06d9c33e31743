#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare_formats.py A.json B.json FOUR.json: reads what `clnorm compare` wrote into pair.*, matrix.*
and shares.* back, compares the formats with each other, and with what follows from the files."""
import csv
import json
import math
import statistics
import sys


def load(name):
    """Strictly: no key twice, no NaN."""
    def pairs(items):
        assert len(dict(items)) == len(items), f"{name}: a key is there twice"
        return dict(items)

    def refuse(text):
        raise ValueError(f"{name}: {text} is no JSON")

    with open(name, encoding="utf-8") as file:
        return json.load(file, object_pairs_hook=pairs, parse_constant=refuse)


def rows_of_csv(name):
    with open(name, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert all(len(row) == len(rows[0]) for row in rows), f"{name}: lines differ in length"
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def rows_of_markdown(name):
    with open(name, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.startswith("|")]
    cells = [[c.strip() for c in line.strip("|").replace("\\|", "&#124;").split("|")] for line in lines]
    assert len({len(row) for row in cells}) == 1, f"{name}: rows differ in length"
    return cells[2:]


def close(got, expected, what):
    got = float(got)
    assert abs(got - expected) <= 1e-6 * abs(expected), f"{what} is {got}, must be {expected}"


def ratio(a, b):
    """From the rounds alone: of the geometric means of copy / op."""
    def mean(result):
        more = result["bytes"] / result["copy_bytes"]
        return statistics.fmean(
            math.log(more * statistics.median(
                c / s for c, s in zip(r["copy_seconds"], r["seconds"])))
            for r in result["rounds"])
    return math.exp(mean(b) - mean(a))


def check_pair(a, b):
    document, table = load("pair.json"), rows_of_csv("pair.csv")
    rows, markdown = document["pairs"][0]["cases"], rows_of_markdown("pair.markdown")
    assert document["schema"] == "clnorm.compare/1"
    assert len(rows) == len(table) == len(markdown) == len(a["results"])
    for of_a, of_b, row, line, cells in zip(a["results"], b["results"], rows, table, markdown):
        assert row["case"] == line["case"] == of_a["case"] == cells[0].replace("\\", ""), (row, line, cells)
        assert row["verdict"] == line["verdict"] and cells[4].startswith(row["verdict"]), (row, line, cells)
        assert row["a"]["status"] == line["a_status"] == of_a["status"]
        if of_a["status"] != "ok":
            assert line["ratio"] == line["a_seconds"] == "" and "ratio" not in row
            continue
        expected = ratio(of_a, of_b)
        close(row["ratio"], expected, "ratio in JSON")
        close(line["ratio"], expected, "ratio in CSV")
        close(line["b_seconds"], of_b["seconds"]["median"], "seconds in CSV")
        close(row["b"]["of_copy"], of_b["of_copy"], "share in JSON")
        assert float(line["ratio_low"]) <= expected <= float(line["ratio_high"])
        assert cells[3].split()[0] == f"{expected:.2f}", cells
    counts = {}
    for row in rows:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    verdicts = document["pairs"][0]["summary"]["verdicts"]
    assert all(verdicts[name] == counts.get(name, 0) for name in verdicts), (verdicts, counts)


def check_matrix(four, name, key):
    document, table, markdown = load(f"{name}.json"), rows_of_csv(f"{name}.csv"), rows_of_markdown(f"{name}.markdown")
    known = {(r["case"], f"A:{r['device']}"): r for r in four["results"]}
    names = list(dict.fromkeys(r["case"] for r in four["results"]))
    assert [row["case"] for row in document["cases"]] == names
    assert len(table) == len(known) and len(markdown) == len(names) + 2
    for line in table:
        result = known[line["case"], line["device"]]
        beside = [r[key] for r in four["results"] if r["case"] == line["case"] and r["status"] == "ok"]
        is_best = result["status"] == "ok" and result[key] == max(beside)
        assert line["best"] == str(int(is_best)), (line, beside)
        column = [d["label"] for d in document["devices"]].index(line["device"])
        place = names.index(line["case"])
        cell = document["cases"][place]["cells"][column]
        assert cell["status"] == line["status"] == result["status"]
        assert ("*" in markdown[place][column + 1]) == is_best, markdown[place]
        if cell["status"] == "ok":
            assert cell["best"] == is_best
            close(line["bytes_per_second"], result["bytes_per_second"], "rate in CSV")
    common = [n for n in names if all(known[n, f"A:{i}"]["status"] == "ok" for i in range(4))]
    assert common, "no case that all have: the test tests nothing"
    for i, device in enumerate(document["devices"]):
        shares = [known[n, f"A:{i}"]["of_copy"] for n in common]
        assert device["common_cases"] == len(common)
        close(device["mean_of_copy"], statistics.geometric_mean(shares), "geometric mean")
        close(device["mean_speed"], statistics.geometric_mean(
            known[n, f"A:{i}"]["bytes_per_second"] / known[n, "A:0"]["bytes_per_second"] for n in common),
            "mean speed")
        assert markdown[-2][i + 1] == f"{100 * statistics.geometric_mean(shares):.0f} %", markdown[-2]


a, b, four = (load(name) for name in sys.argv[1:])
check_pair(a, b)
check_matrix(four, "matrix", "bytes_per_second")
check_matrix(four, "shares", "of_copy")
