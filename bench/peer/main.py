# SPDX-License-Identifier: MIT
"""A run: the cases one after the other, the table, the targets, the file."""

import contextlib
import pathlib
import signal
import sys

from peer import data, install, measure, report, start, targets, workers
from peer.workers import Broken, Worker

QUICK_ROUNDS, ROUNDS = 5, 9
ENDING = (signal.SIGINT, signal.SIGTERM)


def chosen_peers(place, names):
    peers = workers.peers_of(place)
    if not names:
        return peers
    ours = any(name.startswith("clnorm") for name in names)
    return [peer for peer in peers if peer.name in names or (peer.is_clnorm and not ours)]


def versions_of(everyone, place):
    found = {}
    for worker in everyone:  # they import their libraries at the same time
        with contextlib.suppress(Broken):
            worker.start()
    for worker in everyone:
        try:
            found[worker.peer.name] = worker.versions()
            if worker.peer.is_clnorm:
                found[worker.peer.name].update(install.commit(place))
        except Broken as broken:
            found[worker.peer.name] = {"problem": str(broken)}
            install.say(f"{worker.peer.name} does not start: {broken}")
    return found


def show(result, names):
    print(report.row(result, names), *report.problems(result), sep="\n", flush=True)


def growth_only(case, everyone):
    """Growth is a question to clnorm alone."""
    return [w for w in everyone if w.peer.is_clnorm or case.band != "growth"]


def run_case(case, everyone, inputs, rounds):
    """A case that cannot be run is a failed one, and the others follow."""
    try:
        return measure.run_case(case, everyone, inputs, rounds)
    except (OSError, Broken) as problem:
        return measure.failed_case(case, everyone, str(problem))


def save(options, document):
    """False if there is a file to be written, and it cannot be."""
    try:
        if options.out:
            report.write(options.out, document)
    except OSError as problem:
        install.say(f"{options.out}: {problem}")
        return False
    return True


def measure_all(document, everyone, chosen, options, inputs):
    names = [worker.peer.name for worker in everyone]
    rounds = document["rounds"]
    print(report.header(names), flush=True)
    for number, case in enumerate(chosen, 1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(chosen)} {case.name}\x1b[K\r", end="", file=sys.stderr)
        document["cases"].append(run_case(case, growth_only(case, everyone), inputs, rounds))
        show(document["cases"][-1], names)
        save(options, document)
    if options.start:
        peers = [worker.peer for worker in everyone]
        document["start"] = start.measure(peers, inputs, options.quick)
        print(*report.start_lines(document["start"]), sep="\n", flush=True)


def judge(document):
    devices = [name for name in document["versions"] if name.startswith("clnorm")]
    document["targets"] = targets.judge(document["cases"], document["start"], devices)
    print("\ntargets", *map(report.verdict_line, document["targets"]), sep="\n", flush=True)


def interrupt(*_):
    """Once: what follows tidies up, and is not to be interrupted."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def command(options):
    """Without the folders of this machine."""
    words = [pathlib.Path(word).name if word in (options.out, options.venv) else word
             for word in sys.argv[1:]]
    return " ".join(["bench/peers", *words])


def new_document(options):
    return {"schema": report.SCHEMA, "complete": False, "date": report.now(),
            "command": command(options), "machine": report.machine(),
            "versions": {}, "tolerance": {**data.TOLERANCE, "sums": data.SUM_TOLERANCE},
            "rounds": options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS),
            "cases": [], "start": {}, "targets": []}


def is_bad(document):
    """Was clnorm wrong, or did it fail?"""
    return any("problem" in found for found in document["start"].values()) or any(
        entry["status"] != "ok" for result in document["cases"]
        for name, entry in result["peers"].items() if name.startswith("clnorm"))


def run(place, chosen, options):
    """The exit code, as bench/peers --help has it."""
    everyone = [Worker(peer) for peer in chosen_peers(place, options.peer)]
    document = new_document(options)
    try:
        inputs = data.Inputs([*chosen, *start.operators(options.quick)])
    except OSError as problem:
        install.say(str(problem))
        return 3
    for number in ENDING:
        signal.signal(number, interrupt)
    try:
        document["versions"] = versions_of(everyone, place)
        measure_all(document, everyone, chosen, options, inputs)
        document["complete"] = True
    except KeyboardInterrupt:
        pass
    finally:
        for worker in everyone:
            worker.stop()
        inputs.close()
    judge(document)
    saved = save(options, document)
    return int(not saved or is_bad(document)) if document["complete"] else 130
