# SPDX-License-Identifier: MIT
"""The table for people and the file for programs."""

import datetime
import json
import os
import pathlib
import platform
import tempfile

SCHEMA = "clnorm.peers/1"
WIDTH = 52


def header(names):
    cells = []
    for name in names:
        cells.append(f"{name:>13}" + ("  floor  best" if name.startswith("clnorm") else ""))
    return (f"GB/s of useful bytes (launch: us a call, lower quartile); floor: clnorm to the copy "
            f"kernel, best: to the best peer\n\n{'case':<{WIDTH}}" + "".join(cells))


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def seconds_of(entry, series="op"):
    """Of a call: the median over rounds, in the launch band the lower quartile."""
    return entry.get("lower_quartile", entry["median"])[series]


def speed(result, entry):
    if entry is None or entry["status"] == "lacks":
        return "-"
    if entry["status"] != "ok":
        return entry["status"].upper()
    if result["band"] == "launch":
        return number(1e6 * seconds_of(entry))
    return number(entry["gbps"], 1)


def cells(result, name):
    """Of a peer; clnorm's with its ratios to the copy kernel and to the best peer."""
    words = [speed(result, result["peers"].get(name))]
    if name.startswith("clnorm"):
        ratios = result["ratios"].get(name, {})
        words += [number(ratios.get(key)) for key in ("to_floor", "to_best_peer")]
    return words


def row(result, names):
    words = (f"{word:>{width}}" for name in names
             for word, width in zip(cells(result, name), (13, 7, 6)))
    return f"{result['case']:<{WIDTH}}" + "".join(words)


def problems(result):
    return [f"  {name}: {entry['status']}: {entry['reason']}"
            for name, entry in result["peers"].items() if entry["status"] in ("wrong", "failed")]


def start_lines(start):
    lines = []
    for name, found in start.items():
        if "problem" in found:
            lines.append(f"start {name}: {found['problem']}")
            continue
        cold = found["cold_build_seconds"]
        slowest = max(cold, key=cold.get)
        lines.append(f"start {name}: first result {1000 * found['beyond_driver']:.0f} ms beyond "
                     f"the driver's start; cold builds up to {cold[slowest]:.2f} s ({slowest})")
    return lines


def worst_of(v):
    return "no result" if v["worst"] is None else number(v["worst"], 3)


def verdict_line(v):
    return (f"{v['target']:<3} {v['device']:<13} {'met' if v['met'] else 'MISSED':<7}"
            f"{worst_of(v):>9} (limit {number(v['limit'])}) {v['text']}; worst of {v['cases']}: "
            f"{v['case']}")


# ---- the file ----------------------------------------------------------------------------------

def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def machine():
    return {"cpu": cpu_name(), "cpus": len(os.sched_getaffinity(0)),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "os": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
            "kernel": platform.release(), "arch": platform.machine(),
            "load_at_start": os.getloadavg()[0]}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def rounded(value):
    """Nine digits are enough of a time or a ratio."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def write(path, document):
    """Into a temporary file, then in its place: a reader never sees half of it."""
    path = pathlib.Path(path)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            json.dump(rounded(document), file, indent=1)
            file.write("\n")
            file.close()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            pathlib.Path(file.name).unlink(missing_ok=True)
            raise
