#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/tune.sh COMMAND: a search writes a table that later runs use, a search that was done is
# not done again, and no state of the table is more than a line on stderr.
set -eu
clnorm=$(realpath "$1")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"

export HOME="$scratch/home"
mkdir home
unset CLNORM_TUNE CLNORM_TUNE_FILE XDG_CONFIG_HOME
table=$HOME/.config/clnorm/tuning
npy x.npy "'<f4'" False '(6, 32)' 768

# search ARGUMENT...: of three cases.
search() { must_pass tune --cols 32 --dtype f32 --max-bytes 16K "$@"; }

# expect_counts MEASURED WERE_THERE TO_MEASURE: what the last search, with --json, did.
expect_counts() {
    got=$(sed -n 's/^  "\(measured\|were_there\|to_measure\)": \([0-9]*\),$/\2/p' stdout | tr '\n' ' ')
    [ "$got" = "$1 $2 $3 " ] || fail "measured, there, to measure are $got, must be $1 $2 $3"
}

# expect_used TEXT: the parameters of the last run, with --json.
expect_used() {
    grep -q "\"tuning\": \"$1" stdout || fail "$(grep tuning stdout) in the report, must be $1"
}

# ---- what is wrong with the command line ----
must_fail 2 "--op 'mvn': must be all|layer_norm|rms_norm" tune --op mvn
must_fail 2 "--dtype 'f64': must be all|f32|f16|bf16" tune --dtype f64
must_fail 2 "--max-time '0': must be a number of seconds above 0" tune --max-time 0
must_fail 2 "--max-time 'nan': must be a number of seconds above 0" tune --max-time nan
must_fail 2 "--cols '2147483649': must be 1 to 2147483648" tune --cols 2147483649
must_fail 2 "--cols '0': must be 1 to 2147483648" tune --cols 0
must_fail 2 "--max-bytes '0': must be a number of bytes above 0" tune --max-bytes 0
must_fail 2 "unexpected argument 'all'" tune all
export CLNORM_TUNE=maybe
must_fail 2 "CLNORM_TUNE is 'maybe': must be on or off" tune
must_fail 2 "CLNORM_TUNE is 'maybe': must be on or off" run x.npy -o out.npy
unset CLNORM_TUNE

# ---- a table that cannot be written is told before anything is measured ----
mkdir directory
export CLNORM_TUNE_FILE="$scratch/directory"
must_fail 2 'directory: is a directory; must be the name of a file' tune --cols 32
[ ! -s stdout ] || fail 'a report of what was measured'
export CLNORM_TUNE_FILE="$scratch/none/tuning"
must_fail 2 'none/tuning: cannot be written: No such file' tune --cols 32
[ ! -s stdout ] || fail 'a report of what was measured'
# one that gets too large for a limit on files, which only the last write meets
{
    printf '# '
    data 20971520
    echo
} >large
export CLNORM_TUNE_FILE="$scratch/large"
case_name='a write that fails' cases=$((cases + 1))
code=0 # Intel's compiler has a line of its own for the signal, so there may be two
(
    ulimit -f 20480 # of 512 bytes
    exec "$clnorm" tune --cols 32 --dtype f32 --op rms_norm --max-bytes 16K --json
) >stdout 2>stderr </dev/null || code=$?
[ $code -eq 2 ] || fail "exit code $code, must be 2"
grep -q '^clnorm: .*/large: cannot be written: File too large' stderr || fail 'no reason'
expect_counts 0 0 2
no_leftovers
rm large
unset CLNORM_TUNE_FILE
must_fail 3 "no such thing" tune --device 'name=no such thing'

# ---- a search, the same again, one more ----
search --list --json
expect_counts 0 0 3
[ ! -e "$HOME/.config" ] || fail '--list wrote something'
search --op rms_norm --json
expect_counts 2 0 0
[ "$(grep -vc '^#' "$table")" -eq 2 ] || fail "$(grep -vc '^#' "$table") records, must be 2"
[ "$(stat -c %a "$HOME/.config/clnorm")" = 700 ] || fail 'others may write into the directory'
cp "$table" before
search --op rms_norm --json
expect_counts 0 2 0
cmp -s "$table" before || fail 'nothing was measured, and the table is another one'
echo 'newer=yes form=held' >>"$table"
echo '# mine' >>"$table"
search --no-color
grep -q '1 measured, 2 were there, 0 to measure' stdout || fail 'layer_norm is not all that was left'
grep -q '^newer=yes form=held$' "$table" || fail 'a line of a newer version is gone'
grep -q '^# mine$' "$table" || fail 'a note is gone'
[ "$(grep -c '^device=' "$table")" -eq 3 ] || fail "$(grep -c '^device=' "$table") records, not 3"
search --op rms_norm --again --json
expect_counts 2 0 0
[ "$(grep -c '^device=' "$table")" -eq 3 ] || fail 'a record that was measured again is there twice'
sed -i 's/driver="[^"]*"/driver="of old"/' "$table"
search --list --json
expect_counts 0 0 3
must_pass tune --max-time 0.000001 --max-bytes 16K --cols 32 --json
[ "$(grep -c 'of old' "$table")" -eq 3 ] || fail 'no time was left, and something was measured'

# ---- later runs use the table ----
record=$(grep 'kind=layer_norm' "$table" | sed 's/ form=.*//')
for vec in 2 16; do
    echo "$record form=sequential vec=$vec stream=123" >"$table"
    must_pass run x.npy --verify --json
    expect_used "form=sequential vec=$vec group=1 team=1 stream=123\""
done
grep -q 'measured with driver of old' stderr || fail 'another driver is not told'
echo "$record form=sequential vec=2 stream=456" >other
CLNORM_TUNE_FILE=other must_pass run x.npy --verify --json
expect_used 'form=sequential vec=2 group=1 team=1 stream=456"'
CLNORM_TUNE=off must_pass run x.npy --verify --json
! grep -q 'stream=123' stdout || fail 'the table is off, and it was used'
must_pass run x.npy -o y.npy
CLNORM_TUNE=off must_pass run x.npy -o y.npy

# ---- damage ----
{
    echo "$record form=sequential vec=3"
    head -c 3000 /dev/urandom | tr -d '\n'
    echo
    echo 'form=held group=64 group=64'
    printf '%s form=sequential vec=4\r\n' "$record"
    printf '%s form=sequ' "$record"
} >"$table"
must_pass run x.npy --verify --json
expect_used 'form=sequential vec=4 group=1 team=1 '
[ "$(grep -c "$table:[0-9]* is left out" stderr)" -eq 4 ] || fail 'not one line for each damaged one'
grep -q "tuning:1 is left out: vec is '3'; allowed is 2, 4, 8 or 16" stderr || fail 'no reason'
: >"$table"
must_pass run x.npy --verify --json
[ ! -s stderr ] || fail 'an empty table is worth a line'

# ---- interrupted: what is done is kept ----
case_name='an interrupted search' cases=$((cases + 1))
rm -f "$table"
"$clnorm" tune --max-bytes 16K >stdout 2>stderr </dev/null &
child=$!
waited=0
until [ -s "$table" ] || [ $waited -ge 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
kill -TERM $child
code=0
wait $child || code=$?
[ $code -eq 130 ] || fail "exit code $code, must be 130"
grep -q '^device=' "$table" || fail 'nothing is kept'
no_leftovers
[ -z "$(find "$HOME" -name '.clnorm-*')" ] || fail 'a temporary file is left'

# ---- matrix products ----
must_fail 2 "--gemm '4x7': must be up to 16 layers" tune --gemm 4x7
must_fail 2 "--candidate: needs --gemm" tune --candidate ''
must_fail 2 "--candidate-time: needs --gemm" tune --candidate-time 1
for option in --op=all --dtype=f32 --cols=32 --max-bytes=16K --again --list; do
    must_fail 2 "${option%=*}: cannot go with --gemm; allowed are --max-time" tune --gemm 4x7x8 $option
done
must_fail 2 "--max-time: cannot go with --candidate" tune --gemm 4x7x8 --candidate '' --max-time 1
must_fail 2 "gemv_rows is '0'; allowed is a number from 1" tune --gemm 4x7x8 --candidate gemv_rows=0
must_fail 2 "--candidate-time '0': must be" tune --gemm 4x7x8 --candidate-time 0
if "$clnorm" tune --gemm 2x7x8 --candidate 'gemv_rows=2' --json >stdout 2>stderr; then
    [ "$(grep -c '"ok": true' stdout)" = 3 ] || fail "not three right products: $(cat stdout)"
    must_fail 3 'CLBlastMissingOverrideParameter' tune --gemm 2x7x8 --candidate 'gemm="MWG=3"'
    grep -q '"error": ".*CLBlastMissingOverrideParameter' stdout || fail "no error: $(cat stdout)"
    # a limit that no candidate keeps: the record that is there stays
    printf 'gemm="MWG=8"\n' >"$table"
    must_fail 2 'not done after 0.001 seconds' tune --gemm 2x7x8 --candidate-time 0.001
    grep -q '^gemm="MWG=8"$' "$table" || fail "another table: $(cat "$table")"
    # of enough rows that nothing is a GEMV: fewer candidates
    must_pass tune --gemm 33x7x8 --max-time 0.001 --json
    grep -q '"gain": [0-9]' stdout || fail "no gain: $(cat stdout)"
    [ "$(grep -c '^device=.* gemm=' "$table")" = 1 ] || fail "not one record: $(cat "$table")"

    case_name='a search that is killed' cases=$((cases + 1))
    "$clnorm" tune --gemm 33x7x8 >stdout 2>stderr </dev/null &
    child=$!
    candidate=
    waited=0
    until [ -n "$candidate" ] || [ $waited -ge 100 ]; do
        sleep 0.1
        waited=$((waited + 1))
        candidate=$(tr -d ' ' <"/proc/$child/task/$child/children") || break # not of this system
    done
    kill -KILL $child
    wait $child 2>/dev/null || :
    waited=0
    while grep -q '^State:[^Z]*$' "/proc/${candidate:-none}/status" 2>/dev/null; do
        sleep 0.1
        waited=$((waited + 1))
        if [ $waited -ge 20 ]; then
            fail 'its candidate goes on'
            kill -KILL "$candidate"
            break
        fi
    done
else
    grep -q 'built without it' stderr || fail "$(cat stderr)"
fi

finish
