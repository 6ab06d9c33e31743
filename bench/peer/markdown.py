# SPDX-License-Identifier: MIT
"""The numbers of a file as Markdown, for docs/performance.md."""

import json

from peer.report import cells, number, worst_of

BANDS = {
    "out": "Out of cache, GB/s",
    "in": "In cache, GB/s",
    "launch": "Launch, microseconds a call",
    "growth": "Growth, GB/s",
}


def table(heads, rows):
    return ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|",
            *("| " + " | ".join(row) + " |" for row in rows), ""]


def band_table(results, names):
    heads = ["case"]
    for name in names:
        heads += [name, "floor", "best"] if name.startswith("clnorm") else [name]
    rows = [[result["case"], *(cell for name in names for cell in cells(result, name))]
            for result in results]
    return table(heads, rows)


def targets_table(targets):
    rows = [[v["target"], v["device"], v["text"], worst_of(v), number(v["limit"]),
             "met" if v["met"] else "missed", v["case"]] for v in targets]
    return table(["", "device", "target", "worst", "limit", "", "in"], rows)


def versions_of(document):
    lines = []
    for name, found in document["versions"].items():
        lines.append(f"- {name}: " + ", ".join(f"{key} {value}" for key, value in found.items()))
    return lines


def text(document):
    machine, names = document["machine"], list(document["versions"])
    lines = [f"{document['date']}, `{document['command'].strip()}`, {document['rounds']} rounds; "
             f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}", "",
             *versions_of(document), "", *targets_table(document["targets"])]
    for band, title in BANDS.items():
        results = [r for r in document["cases"] if r["band"] == band]
        ours = [n for n in names if band != "growth" or n.startswith("clnorm")]
        if results:
            lines += [f"{title}:", "", *band_table(results, ours)]
    return "\n".join(lines)


def read(path):
    with open(path, encoding="utf-8") as file:
        return text(json.load(file))
