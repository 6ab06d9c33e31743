#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/examples/transformer.sh PROGRAM FIXTURE: the check finds one wrong gradient among all, what
# is no fixture or no shape is refused by name and value, and --json has a finite number for each
# block.
set -eu
program=$(realpath "$1") fixture=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fail() {
    echo "$*"
    echo '---- stdout'; cat stdout
    echo '---- stderr'; cat stderr
    exit 1
}
# expect CODE FILE WORDS ARGUMENT...: FILE, stdout or stderr, has WORDS.
expect() {
    expected=$1 file=$2 words=$3 code=0
    shift 3
    "$program" "$@" >stdout 2>stderr || code=$?
    [ $code -eq "$expected" ] || fail "transformer $*: exit code $code, not $expected"
    grep -qF -e "$words" "$file" || fail "transformer $*: $file has no '$words'"
}
# edit PYTHON: another fixture, edited.json
edit() {
    python3 - "$fixture" "$1" <<'END'
import json, sys
f = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(f, open("edited.json", "w"))
END
}

# ---- one number that is off by twice its bound, which the device's own error cannot hide ----
edit 'g = f["post"]["layers.0.linear1.weight"]; g["value"][7] += 2 * g["bound"][7]'
expect 1 stdout 'post layers.0.linear1.weight[7] is ' --check edited.json
grep -qF '1092 numbers, 0 wrong' stdout || fail 'Pre-LN, whose numbers are right, is not'
grep -qF '1080 numbers, 1 wrong' stdout || fail 'Post-LN has more or less than one wrong number'

# ---- fixtures ----
expect 2 stderr "'none.json'" --check none.json
head -c 5000 "$fixture" >edited.json
expect 2 stderr "'edited.json', line " --check edited.json
edit 'del f["parameters"]["layers.1.norm2.bias"]'
expect 2 stderr "no 'layers.1.norm2.bias'" --check edited.json
edit 'f["x"].pop()'
expect 2 stderr "'x' must be an array of 30 numbers" --check edited.json
edit 'f["dy"][3] = None'
expect 2 stderr "'dy' has something else than a number at 3" --check edited.json
edit 'f["depth"] = 0'
expect 2 stderr "'depth' must be a whole number from 1 to 64" --check edited.json
edit 'f["heads"] = 4'
expect 2 stderr '4 heads do not divide a width of 6' --check edited.json

# ---- options ----
expect 2 stderr "--norm is 'both'; must be one of pre, post" --norm both
expect 2 stderr '--heads is 3, which does not divide --width 64' --heads 3
expect 2 stderr '--depth is -1; must be' --depth -1
expect 2 stderr '--depth is 0; must be' --depth 0
expect 2 stderr '--tokens is 0; must be' --tokens 0
expect 2 stderr '--check' --check "$fixture" --json out.json
expect 2 stderr '2^32' --tokens 8192 --depth 1024 --heads 1024 --width 8192
expect 2 stderr '--frobnicate' --frobnicate
expect 3 stderr 'nothing_like_it' --device name=nothing_like_it
[ ! -e out.json ] || fail 'out.json is there'

# ---- gradients ----
expect 2 stderr nowhere/out.json --json nowhere/out.json
expect 0 stderr 'post    3 blocks' --depth 3 --width 12 --heads 3 --tokens 7 --json -
python3 - <<'END' || fail 'what --json gives is not as it should be'
import json, math
found = json.load(open("stdout"))
assert [found[k] for k in ("width", "heads", "tokens", "seed")] == [12, 3, 7, 1]
assert [(r["norm"], r["depth"]) for r in found["runs"]] == [("pre", 3), ("post", 3)]
for run in found["runs"]:
    assert len(run["gradients"]) == 4
    for norms in run["gradients"].values():
        assert len(norms) == 3 and all(0 < n < math.inf for n in norms)
END
