# SPDX-License-Identifier: MIT
"""Rounds: in each of them every peer runs once, one after the other, in an order of its own."""

import pathlib
import random
import statistics
import tempfile

from peer import data, workers
from peer.report import seconds_of
from peer.workers import Broken

# Of a timed sample in seconds: it holds as many calls as that takes, and at most so many.
SAMPLE_SECONDS = {"out": 0, "growth": 0, "in": 0.02, "launch": 0.005}
MOST_CALLS = 500
EACH_CALLS = 101
# A call of some microseconds is at the mercy of whatever else runs: more rounds, and of them the
# lower quartile.
LAUNCH_ROUNDS = 5
WARM_CALLS, WARM_SECONDS = 3, 2
# A peer sits the other rounds out once it has run that many and its calls have taken that long.
LEAST_ROUNDS, MOST_SECONDS = 3, 2
# Memory in multiples of the outputs, in f32 and in the 16-bit types, as it was measured:
# temporaries, and what glibc cannot give to the next call. The others need once the outputs.
MEMORY = {
    ("torch", "layer_norm", "forward"): (4, 6), ("torch", "rms_norm", "forward"): (5, 15),
    ("torch", "layer_norm", "backward"): (4, 6), ("torch", "rms_norm", "backward"): (15, 37),
    ("jax", "layer_norm", "forward"): (2, 3), ("jax", "rms_norm", "forward"): (2, 3),
    ("jax", "layer_norm", "backward"): (4, 10), ("jax", "rms_norm", "backward"): (4, 15),
}
SPARE_BYTES = 2 << 30  # for the processes themselves and the rest of the machine
FLOORS = ("copy", "copy_nt")


def available_bytes():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/meminfo has no MemAvailable")


def needed_bytes(case, worker):
    times = MEMORY.get((worker.peer.name, case.op, case.direction), (1, 1))
    return sum(t.bytes() for t in case.outputs()) * times[case.dtype != "f32"]


def groups_of(case, everyone):
    """Workers that fit into memory together, clnorm's in each group; and those that never fit."""
    ours = [w for w in everyone if w.peer.is_clnorm]
    room = available_bytes() - SPARE_BYTES
    room -= sum(t.bytes() for t in case.inputs()) + sum(needed_bytes(case, w) for w in ours)
    groups, too_large, left = [list(ours)], [], room
    for worker in everyone:
        need = 0 if worker.peer.is_clnorm else needed_bytes(case, worker)
        if need > room:
            too_large.append(worker)
            continue
        if need > left:
            groups.append(list(ours))
            left = room
        groups[-1] += [] if worker.peer.is_clnorm else [worker]
        left -= need
    return groups, too_large


class Runner:
    """A worker with a case: what is timed, and the times."""

    def __init__(self, case, worker, inputs=None, expected=None):
        self.case, self.worker, self.inputs, self.expected = case, worker, inputs, expected
        self.status, self.reason = "ok", None
        self.series = {}  # name: (what, calls, each)
        self.times = {}
        self.used = 0

    def fail(self, status, reason):
        self.status, self.reason = status, reason
        self.times = {}

    def prepare(self):
        lacks = self.worker.prepare(self.case, self.inputs.paths(self.case))
        if lacks is not None:
            self.fail("lacks", lacks)
            return
        self.warm_up()
        if self.verify():
            self.plan()

    def warm_up(self):
        used = 0
        for _ in range(WARM_CALLS):
            if used < WARM_SECONDS:
                used += self.worker.seconds("op", 1)

    def verify(self):
        """Of what the last call wrote: true if it is right."""
        with tempfile.TemporaryDirectory(dir=self.inputs.folder) as folder:
            self.worker.ask(f"sample rows={self.expected.n} folder={folder}")
            problem = self.expected.problem(pathlib.Path(folder), self.worker.peer)
        if problem:
            self.fail("wrong", problem)
        return problem is None

    def plan(self):
        whats = ["op"]
        if self.worker.peer.is_clnorm:
            whats = list(FLOORS) + (["empty"] if self.case.band == "launch" else []) + whats
        for what in whats:  # the operator last: its results are verified after the last round
            self.series[what] = (what, self.calls_of(what), False)
            if self.case.band == "launch":
                self.series[what + "_each"] = (what, EACH_CALLS, True)
        self.times = {name: [] for name in self.series}

    def calls_of(self, what):
        if what != "op":
            self.worker.seconds(what, 1)  # makes the companion
        wanted = SAMPLE_SECONDS[self.case.band]
        if wanted == 0:
            return 1
        return min(MOST_CALLS, max(1, round(wanted / self.worker.seconds(what, 10))))

    def rests(self, number):
        return (number >= LEAST_ROUNDS and self.used > MOST_SECONDS and
                not self.worker.peer.is_clnorm)

    def round(self, number):
        if self.status != "ok":
            return
        rest = self.rests(number)
        for name, (what, calls, each) in self.series.items():
            self.times[name].append(None if rest else self.worker.seconds(what, calls, each))
            if name == "op" and not rest:
                self.used += self.times[name][-1] * calls

    def guarded(self, step, *arguments):
        """A worker that breaks is out of this case, and starts anew in the next one."""
        try:
            step(*arguments)
        except (Broken, OSError) as problem:
            self.fail("failed", str(problem))
        workers.pause()


def run_group(case, group, inputs, expected, rounds):
    runners = [Runner(case, worker, inputs, expected) for worker in group]
    order = random.Random(data.SEED)
    for runner in runners:
        runner.guarded(runner.prepare)
    for number in range(rounds):
        order.shuffle(runners)
        for runner in runners:
            runner.guarded(runner.round, number)
    for runner in runners:
        if runner.status == "ok":
            runner.guarded(runner.verify)
        if runner.status in ("ok", "wrong", "lacks"):
            runner.guarded(runner.worker.ask, "free")
    return {runner.worker.peer.name: runner for runner in runners}


def run_case(case, everyone, inputs, rounds):
    rounds *= LAUNCH_ROUNDS if case.band == "launch" else 1
    inputs.write(case)
    expected = data.Expected(case)
    groups, too_large = groups_of(case, everyone)
    done = [run_group(case, group, inputs, expected, rounds) for group in groups]
    for worker in too_large:
        done[0][worker.peer.name] = runner = Runner(case, worker)
        need = needed_bytes(case, worker) / (1 << 30)
        runner.fail("lacks", f"it needs {need:.0f} GiB of memory for its outputs and temporaries")
    return result_of(case, done, rounds)


def failed_case(case, everyone, reason):
    """What stands for a case that could not be run."""
    runners = {worker.peer.name: Runner(case, worker) for worker in everyone}
    for runner in runners.values():
        runner.fail("failed", reason)
    return result_of(case, [runners], 0)


# ---- results -----------------------------------------------------------------------------------

def lower_quartile(times):
    return statistics.quantiles(times, n=4, method="inclusive")[0]


def summary(case, seconds):
    """Of each series, without the rounds that were sat out."""
    times = {key: [t for t in series if t is not None] for key, series in seconds.items()}
    found = {"rounds": len(times["op"]),
             "median": {key: statistics.median(series) for key, series in times.items()}}
    if case.band == "launch":
        found["lower_quartile"] = {key: lower_quartile(series) for key, series in times.items()}
    return found


def merged(case, groups, name, rounds):
    """Of one peer: rounds of all groups after one another, None where it did not take part."""
    taking_part = [group[name] for group in groups if name in group]
    bad = [runner for runner in taking_part if runner.status != "ok"]
    runner = bad[0] if bad else taking_part[0]
    entry = {"status": runner.status}
    if bad:
        return {**entry, "reason": runner.reason}
    entry["calls"] = {key: calls for key, (_, calls, _) in runner.series.items()}
    entry["seconds"] = {}
    for key in runner.series:
        entry["seconds"][key] = [
            time for group in groups
            for time in (group[name].times[key] if name in group else [None] * rounds)]
    return {**entry, **summary(case, entry["seconds"])}


def ratio(case, ours, theirs):
    """How many times faster ours is: the median of the rounds' ratios, in the launch band the ratio
    of the lower quartiles; None without a round."""
    rounds = [(a, b) for a, b in zip(ours, theirs) if a is not None and b is not None]
    if not rounds:
        return None
    if case.band == "launch":
        mine, other = map(lower_quartile, zip(*rounds))
        return other / mine
    return statistics.median(b / a for a, b in rounds)


def best_floor(entry, suffix=""):
    return min((floor + suffix for floor in FLOORS), key=lambda name: seconds_of(entry, name))


def ratios_of(case, name, peers):
    mine = peers[name]
    ratios = {"floor": best_floor(mine), "peers": {}}
    seconds = mine["seconds"]
    for floor in FLOORS:
        ratios["to_" + floor] = ratio(case, seconds["op"], seconds[floor])
    ratios["to_floor"] = ratios["to_" + ratios["floor"]]
    if "op_each" in seconds:
        floor = seconds[best_floor(mine, "_each")]
        ratios["each_to_floor"] = ratio(case, seconds["op_each"], floor)
    for other, entry in peers.items():
        if not other.startswith("clnorm") and entry["status"] == "ok":
            ratios["peers"][other] = ratio(case, seconds["op"], entry["seconds"]["op"])
    if ratios["peers"]:
        ratios["best_peer"] = min(ratios["peers"], key=ratios["peers"].get)
        ratios["to_best_peer"] = ratios["peers"][ratios["best_peer"]]
    return ratios


def result_of(case, groups, rounds):
    names = [name for name in workers.NAMES if any(name in group for group in groups)]
    peers = {name: merged(case, groups, name, rounds) for name in names}
    moved = case.useful_bytes()
    for entry in peers.values():
        if entry["status"] == "ok":
            entry["gbps"] = moved / seconds_of(entry) / 1e9
    return {
        "case": case.name, "band": case.band, "op": case.op, "direction": case.direction,
        "dtype": case.dtype, "rows": case.rows, "cols": case.cols, "extra": case.extra,
        "bytes": moved, "groups": len(groups), "peers": peers,
        "ratios": {name: ratios_of(case, name, peers) for name in names
                   if name.startswith("clnorm") and peers[name]["status"] == "ok"},
    }
