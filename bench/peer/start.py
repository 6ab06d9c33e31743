# SPDX-License-Identifier: MIT
"""From the start of a process to its first result, beside a process that opens the driver alone:
a context, a queue, one byte written. With a cache of programs that is there (warm) and with none
(cold, an operator at a time)."""

import pathlib
import statistics
import tempfile
import time

from peer.cases import Case
from peer.workers import Broken, Worker

QUICK_STARTS, STARTS = 5, 15
WARM = Case("start", "layer_norm", "forward", "f32", 512, 768)
# Where drivers and libraries keep compiled programs.
CACHES = ("POCL_CACHE_DIR", "XDG_CACHE_HOME", "CLNORM_CACHE_DIR")


def operators(quick):
    shape = (2048, 768)
    if quick:
        return [Case("start", "layer_norm", direction, "f32", *shape)
                for direction in ("forward", "backward")]
    plain = [Case("start", op, direction, "f32", *shape) for op in ("layer_norm", "rms_norm")
             for direction in ("forward", "backward")]
    return plain + [Case("start", "layer_norm", "forward", "f16", *shape)] + \
        [Case("start", "layer_norm", "forward", "f32", *shape, extra)
         for extra in ("residual", "adaptive", "int8")]


def seconds_of(peer, cache, *steps):
    """Of a new process until it has answered each step: seconds since its start."""
    worker = Worker(peer, {name: str(pathlib.Path(cache) / name) for name in CACHES})
    answered = []
    begin = time.perf_counter()
    try:
        for step in steps:
            step(worker)
            answered.append(time.perf_counter() - begin)
        return answered
    finally:
        worker.quit()


def open_driver(worker):
    worker.ask("open")


def first_result(case, inputs):
    def step(worker):
        worker.prepare(case, inputs.paths(case))
        worker.seconds("op", 1)
    return step


def warm_start(peer, inputs, cache, rounds):
    inputs.write(WARM)
    first = first_result(WARM, inputs)
    seconds_of(peer, cache, first)  # fills the cache
    driver, result = [], []
    for _ in range(rounds):
        driver += seconds_of(peer, cache, open_driver)
        result += seconds_of(peer, cache, first)
    beyond = statistics.median(b - a for a, b in zip(driver, result))
    return {"driver_seconds": driver, "first_result_seconds": result, "beyond_driver": beyond}


def cold_builds(peer, inputs, quick):
    builds = {}
    for case in operators(quick):
        inputs.write(case)
        with tempfile.TemporaryDirectory() as cache:
            opened, done = seconds_of(peer, cache, open_driver, first_result(case, inputs))
        builds[case.name] = done - opened
    return builds


def measure(peers, inputs, quick):
    rounds = QUICK_STARTS if quick else STARTS
    results = {}
    for peer in peers:
        if not peer.is_clnorm:
            continue
        try:
            with tempfile.TemporaryDirectory() as cache:
                results[peer.name] = warm_start(peer, inputs, cache, rounds)
            results[peer.name]["cold_build_seconds"] = cold_builds(peer, inputs, quick)
        except (Broken, OSError) as problem:
            results[peer.name] = {"problem": str(problem)}
    return results
