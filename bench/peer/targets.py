# SPDX-License-Identifier: MIT
"""The targets, and what a run says about them: a row each, judged by its worst case."""

import dataclasses
import statistics
import typing

GIB = 1 << 30
GROWTH = 0.15  # of the median time per byte
GROWTH_ROWS, GROWTH_COLS = (1, 1 << 24), (256, 1 << 20)  # others are reported


@dataclasses.dataclass(frozen=True)
class Target:
    id: str
    text: str
    chosen: typing.Callable  # result -> is it judged by this?
    ratio: str  # of result["ratios"][device]
    least: float


def plain(result, band, direction, dtypes):
    return (result["band"] == band and result["direction"] == direction and
            result["dtype"] in dtypes and result["extra"] == "-")


def large(result, direction, dtypes=("f32",)):
    return plain(result, "out", direction, dtypes)


def in_cache(direction):
    return lambda result: plain(result, "in", direction, ("f32",))


TARGETS = [
    Target("P1", "forward f32, out of cache, to the copy kernel",
           lambda r: large(r, "forward") and r["bytes"] >= GIB, "to_floor", 0.95),
    Target("P2", "forward f32, out of cache, to the best peer",
           lambda r: large(r, "forward") and r["bytes"] >= GIB, "to_best_peer", 1.4),
    Target("P2", "forward f32, in cache, to the best peer", in_cache("forward"), "to_best_peer",
           1.0),
    Target("P3", "backward f32, out of cache, to the triad kernel",
           lambda r: large(r, "backward"), "to_floor", 0.90),
    Target("P3", "backward f32, in cache, to the triad kernel", in_cache("backward"), "to_floor",
           0.90),
    Target("P3", "backward f32, out of cache, to the best peer",
           lambda r: large(r, "backward"), "to_best_peer", 1.6),
    Target("P3", "backward f32, in cache, to the best peer", in_cache("backward"), "to_best_peer",
           2.0),
    Target("P4", "f16 and bf16 forward, out of cache, to the copy kernel",
           lambda r: large(r, "forward", ("f16", "bf16")), "to_floor", 0.85),
    Target("P4", "f16 and bf16 backward, out of cache, to the triad kernel",
           lambda r: large(r, "backward", ("f16", "bf16")), "to_floor", 0.85),
    Target("P5", "residual and sum, adaptive, int8, to a kernel of their streams",
           lambda r: r["band"] == "out" and r["extra"] != "-", "to_floor", 0.90),
    Target("P6", "forward, launch and wait, to the copy kernel",
           lambda r: r["band"] == "launch" and r["bytes"] <= 1 << 18 and
           r["direction"] == "forward", "each_to_floor", 1 / 1.15),
]


def verdict(target, device, text, worst, limit, met, case, count):
    return {"target": target, "device": device, "text": text, "worst": worst, "limit": limit,
            "met": met, "case": case, "cases": count}


def judge_ratio(target, device, results):
    found, missing = [], []
    for result in filter(target.chosen, results):
        value = result["ratios"].get(device, {}).get(target.ratio)
        if value is not None:
            found.append((value, result["case"]))
        elif device in result["peers"] and result["peers"][device]["status"] != "ok":
            missing.append(result["case"])
    if missing:  # wrong or failed: no speed at all
        return verdict(target.id, device, target.text, None, target.least, False, missing[0],
                       len(found) + len(missing))
    if not found:
        return None
    worst, case = min(found)
    return verdict(target.id, device, target.text, worst, target.least, worst >= target.least,
                   case, len(found))


def is_growth(device, result):
    return (result["band"] == "growth" and device in result["peers"] and
            GROWTH_ROWS[0] <= result["rows"] <= GROWTH_ROWS[1] and
            GROWTH_COLS[0] <= result["cols"] <= GROWTH_COLS[1])


def judge_growth(device, results, extra, text):
    """Time per byte of each case, beside the median of them; both of the same streams."""
    chosen = [r for r in results if is_growth(device, r) and r["extra"] == extra]
    missing = [r["case"] for r in chosen if r["peers"][device]["status"] != "ok"]
    if missing:
        return verdict("P7", device, text, None, GROWTH, False, missing[0], len(chosen))
    if len(chosen) < 2:
        return None
    rates = [(r["peers"][device]["median"]["op"] / r["bytes"], r["case"]) for r in chosen]
    middle = statistics.median(rate for rate, _ in rates)
    worst, case = max((abs(rate / middle - 1), case) for rate, case in rates)
    return verdict("P7", device, text, worst, GROWTH, worst <= GROWTH, case, len(chosen))


def judge_start(device, start):
    found = start.get(device)
    if not found or "problem" in found:
        return []
    verdicts = [verdict("P9", device, "first result beyond the driver's start, seconds",
                        found["beyond_driver"], 0.05, found["beyond_driver"] <= 0.05,
                        "warm cache", 1)]
    if device == "clnorm-pocl":
        worst, case = max((time, case) for case, time in found["cold_build_seconds"].items())
        verdicts.append(verdict("P9", device, "cold build of an operator, seconds", worst, 1.5,
                                worst <= 1.5, case, len(found["cold_build_seconds"])))
    return verdicts


def judge(results, start, devices):
    verdicts = []
    for device in devices:
        verdicts += [judge_ratio(target, device, results) for target in TARGETS]
        verdicts.append(judge_growth(device, results, "residual", "time per byte, 1 to 8 GiB"))
        verdicts.append(judge_growth(device, results, "-",
                                     "time per byte, 2^7 to 2^21 rows, 2^8 to 2^20 columns"))
        verdicts += judge_start(device, start)
    return [v for v in verdicts if v]
