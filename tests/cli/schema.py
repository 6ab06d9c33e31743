#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/cli/schema.py COMMAND SCHEMA GENERATOR: the schema and `clnorm compare --validate` say the same
of a document, and of all documents that have one value of it changed or left out. The files of results
below the schema's folder are right."""
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import jsonschema
except ImportError:
    print("no python3-jsonschema")
    sys.exit(77)

OTHER_VALUES = [None, -1, 0, 1.5, True, "text", "", [], {}, [0]]
# What only the command looks at: the numbers behind the form.
BEYOND_SCHEMA = ["; of the rounds it is ", "; seconds has ", "; of the case it is ",
                 "must be a case of clnorm bench", "is wrong: the median is",
                 "is there already, as results[", "has its upper end first",
                 "; must be a place in "]


def places(value, path=()):
    """The path of every value; of arrays that of the first one, but of both results."""
    if path:
        yield path
    items = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value[:2 if path == ("results",) else 1])
    for key, inner in items:
        yield from places(inner, (*path, key))


def changed(document, path):
    """The document with other values at this place, and without it."""
    for other in [*OTHER_VALUES, KeyError]:
        new = copy.deepcopy(document)
        holder = new
        for key in path[:-1]:
            holder = holder[key]
        if other is KeyError:
            del holder[path[-1]]
        else:
            holder[path[-1]] = other
        yield new


def problems_of_command(command, documents, folder):
    """What the command says of each, as a list of texts: empty where it says "ok"."""
    names = []
    for number, document in enumerate(documents):
        names.append(f"{number}.json")
        (folder / names[-1]).write_text(json.dumps(document))
    run = subprocess.run([command, "compare", "--validate", *names], cwd=folder, text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    problems = {name: None for name in names}
    for line in run.stdout.splitlines():
        name, text = line.removeprefix("clnorm: ").split(": ", 1)
        problems[name] = (problems[name] or []) + ([] if text.startswith("ok, ") else [text])
    return [problems[name] for name in names]


def made_up(generator):
    """With one result that is measured and one that is not: more have nothing new to say."""
    run = subprocess.run([sys.executable, generator, "--devices", "3", "--cases", "12",
                          "--rounds", "2"], check=True,
                         stdout=subprocess.PIPE)
    document = json.loads(run.stdout)
    by_status = {r["status"]: r for r in reversed(document["results"])}
    document["results"] = [by_status["ok"], by_status["unsupported"]]
    run_keys = ("created", "command", "tool", "host", "settings")
    document["devices"][0]["runs"] = [{
        **{key: document[key] for key in run_keys}, "driver_version": "4.0", "empty_seconds": 1e-6,
        "timer": None}]
    document["results"][1]["run"] = None
    return document


def main():
    command, schema_path, generator = (Path(name).resolve() for name in sys.argv[1:])
    schema = json.loads(schema_path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    right = [made_up(generator)]
    right += [json.loads(p.read_text()) for p in sorted(schema_path.parent.rglob("*.json")) if p != schema_path]
    documents = list(right)
    for path in places(right[0]):
        documents += changed(right[0], path)
    with tempfile.TemporaryDirectory() as folder:
        said = problems_of_command(command, documents, Path(folder))
    failures, wrong = 0, 0
    for place, (new, problems) in enumerate(zip(documents, said)):
        errors = [f"{e.json_path}: {e.message[:100]}" for e in validator.iter_errors(new)]
        wrong += bool(errors)
        form = None if problems is None else [p for p in problems if not any(b in p for b in BEYOND_SCHEMA)]
        is_spoilt = place < len(right) and (problems or errors)
        if form is None or bool(form) != bool(errors) or is_spoilt:
            failures += 1
            print(f"FAIL: the command says {problems}, the schema {errors}")
    if wrong == 0:
        failures += 1
        print("FAIL: none of the changed documents is wrong")
    print(f"{len(documents)} documents, {wrong} of them wrong, {failures} failures")
    return failures > 0


sys.exit(main())
