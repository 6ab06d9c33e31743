#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/explain.sh COMMAND: `explain` tells the numbers that it should in each of its formats, with
# a device and without, and refuses what is no small matrix by name and value.
set -eu
clnorm=$(realpath "$1")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"

has() { grep -qF -e "$1" stdout || fail "stdout has no '$1'"; }
has_not() { grep -qF -e "$1" stdout && fail "stdout has '$1'"; return 0; }
quiet() { [ ! -s stderr ] || fail 'something is on stderr'; }

# ---- the text ----
must_pass explain --device none
quiet
has '-1.4638' # layer_norm of row 0
has '-1.1717' # batch_norm
has '1.2839' # rms_norm
has 'No --weight and no --bias is given, so they are 1 and 0'
has 'The batch shrinks to 1'
has 'A large mean: every cell + 10000, layer_norm'
has_not 'ULP'
[ "$(awk '{ if (length > most) most = length } END { print most }' stdout)" -le 100 ] ||
    fail 'a line has more than 100 characters'
COLUMNS=64 must_pass explain --device none --rows 3 --cols 12
[ "$(awk '{ if (length > most) most = length } END { print most }' stdout)" -le 64 ] ||
    fail 'a line has more than 64 characters'

must_pass explain --device none --op batch_norm --weight 2 --bias 1,2,3,4,5,6 --eps 0.5
has 'variance + eps'
has_not layer_norm:
has 'A large mean: every cell + 10000, batch_norm'
must_pass explain --device none --op rms_norm
has_not 'A large mean'

# layer_norm moves the row, batch_norm the column
must_pass explain --device none --set 0,2=60 --set 3,2=-1
has 'Row 0, column 2: 6 became 60.'
has 'layer_norm: 12 of 24 cells of y moved, those of row 0, row 3.'
has 'batch_norm: 4 of 24 cells of y moved, those of column 2.'
must_pass explain --device none --first 2
has 'The batch shrinks to 2'

must_pass explain --device none --markdown --op layer_norm
has '| row 0 | -0.8783 | -1.4638 | 1.4638 | -0.2928 | 0.8783 | 0.2928 | 0.0000 | 1.0000 |'

# ---- a device beside it ----
must_pass explain --op layer_norm
quiet
has 'y: most ULP'
has '0 of 32 numbers are outside of what rounding can explain.' # 24 of y, 4 means, 4 rstd
must_pass explain
has '0 of 36 numbers' # batch_norm: 24, 6, 6
has '0 of 28 numbers' # rms_norm: 24, 4
# without any, the reference alone
OCL_ICD_VENDORS=/dev/null must_pass explain
grep -q 'no usable OpenCL device' stderr || fail 'nothing is said of the device'
has_not 'ULP'
must_fail 3 'name=nobody' explain --device name=nobody
must_fail 2 'nonsense' explain --device nonsense

# ---- JSON ----
must_pass explain --json --set 1,1=2.5
if command -v python3 >/dev/null; then
    python3 - <<'END' || fail 'the JSON is not what it should be'
import json

def refuse(name):
    raise ValueError(name)

document = json.load(open("stdout"), parse_constant=refuse)
assert document["schema"] == "clnorm.explain/1", document["schema"]
assert document["x"][1][1] == 2.5 and document["x_before"][1][1] == 0
ops = {o["op"]: o for o in document["operators"]}
assert sorted(ops) == ["batch_norm", "layer_norm", "rms_norm"], sorted(ops)
for op in ops.values():
    assert op["device"]["wrong"] == 0, op["device"]
    for row, line in enumerate(op["y"]):
        for col, y in enumerate(line):
            # 2 ULP of float32 at 2, which no y is above by much
            assert abs(y - op["device"]["y"][row][col]) <= 2 ** -21, (op["op"], row, col)
assert all(s["y_error_device"] < 1e-5 for s in document["large_mean"]["sets"])
END
fi

# ---- files ----
printf '1,2,3\n4,5,7\n' >x.csv
must_pass explain --input x.csv --device none
has '2 samples with 3 features'
npy x.npy "'<f4'" False '(6, 32)' 768
must_pass explain --input x.npy --rows 4 --cols 5 --device none
has '4 samples with 5 features'
npy w.npy "'<f4'" False '(6,)' 24
must_pass explain --weight w.npy --device none
must_pass explain --html page.html
quiet
[ ! -s stdout ] || fail 'something is on stdout'
grep -q '<script type="application/json" id="clnorm-data">' page.html || fail 'no data in the page'

# ---- what is wrong ----
must_fail 2 "--set '9,9=1': there is no such cell; the row must be 0 to 3, the column 0 to 5" \
    explain --set 9,9=1
for edit in 1,1=x 1,1 1=2 '' 1,1= -1,0=2 1,1=2x '1,1=2 '; do
    must_fail 2 "--set '$edit': must be ROW,COLUMN=NUMBER" explain --set "$edit"
done
for number in nan inf 1e39; do
    must_fail 2 "--set '1,1=$number': $(printf %g $number) must be a finite number of float32" \
        explain --set "1,1=$number"
done
must_fail 2 "--first '5': must be 1 to 4" explain --first 5
must_fail 2 "--first '0': must be 1 to 4" explain --first 0
must_fail 2 "--rows '17': must be 1 to 16" explain --rows 17
must_fail 2 "--cols '0': must be 1 to 12" explain --cols 0
must_fail 2 "--offset '0': must be a finite number other than 0" explain --offset 0
must_fail 2 "--offset 'inf': must be" explain --offset inf
must_fail 2 "--offset '1e+39': a cell becomes 1e+39; must leave them finite" explain --offset 1e39
must_fail 2 'eps is -1' explain --eps -1
must_fail 2 "--op 'mvn': must be all|layer_norm|batch_norm|rms_norm" explain --op mvn
for weight in 1,2 1,2,3,4,5,x 1,2,3,4,5,6,7 nan '1,,3' ''; do
    must_fail 2 "--weight '$weight': must be 6 finite numbers" explain --weight "$weight"
done
must_fail 2 'none.npy: No such file' explain --bias none.npy
must_fail 2 'x.npy: shape (6, 32); must be (6,)' explain --bias x.npy
must_fail 2 '--json and --markdown are given; allowed is one of them' explain --json --markdown
must_fail 2 'no/page.html' explain --html no/page.html

# ---- a page that is one of the inputs ----
ln -s x.csv link.csv
ln x.csv other.csv
cp x.csv kept.csv
cp w.npy kept.npy
for name in x.csv ./x.csv link.csv "$PWD/x.csv" other.csv; do
    must_fail 2 "$name: is the same file as the input x.csv; must be another one" \
        explain --input x.csv --html "$name"
    cmp x.csv kept.csv || fail 'the input was changed'
done
for option in --weight --bias; do
    must_fail 2 './w.npy: is the same file as the input w.npy' explain $option w.npy --html ./w.npy
    cmp w.npy kept.npy || fail 'the input was changed'
done
echo >./1
must_pass explain --device none --weight 1 --html 1 # a number, not a file

: >empty.csv
must_fail 2 'empty.csv: has no numbers' explain --input empty.csv
printf '1,2,3\n4,5\n' >ragged.csv
must_fail 2 'ragged.csv: line 2 has 2 numbers; must have 3' explain --input ragged.csv
printf '1,2\n3,nan\n' >nan.csv
must_fail 2 'nan.csv: row 1, column 1 is nan; must be a finite number' explain --input nan.csv
printf 'a,b\n1,2\n' >named.csv
must_fail 2 "named.csv: line 1, number 1 is 'a'; must be a number" explain --input named.csv
printf '1,\0002\n' >binary.csv
must_fail 2 'binary.csv: is neither' explain --input binary.csv
yes 1,2 | head -c 1048577 >huge.csv
must_fail 2 'huge.csv: has more than 1048576 bytes' explain --input huge.csv
yes 1,2 | head -n 17 >long.csv
must_fail 2 'long.csv: has 17 x 2 numbers; must have at most 16 x 12, or use --rows' \
    explain --input long.csv
must_pass explain --input long.csv --rows 16 --device none
must_fail 2 "--rows '18': long.csv has 17 x 2 numbers; must be 1 to 16" \
    explain --input long.csv --rows 18
must_fail 2 'x.npy: has 6 x 32 numbers; must have at most 16 x 12' explain --input x.npy
npy cube.npy "'<f4'" False '(2, 3, 4)' 96
must_fail 2 'cube.npy: shape (2, 3, 4); must have two axes' explain --input cube.npy
npy flat.npy "'<f4'" False '(6,)' 24
must_fail 2 'flat.npy: shape (6,); must have two axes' explain --input flat.npy
npy none.npy "'<f4'" False '(0, 3)' 0
must_fail 2 'none.npy: has 0 x 3 numbers; must have at least one' explain --input none.npy
must_fail 2 'missing.csv: No such file' explain --input missing.csv
must_fail 2 'is a directory; must be a .npy, idx or CSV file' explain --input .

finish
