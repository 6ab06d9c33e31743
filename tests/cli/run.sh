#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/run.sh COMMAND: clnorm run gives the same bytes for the same numbers, whichever file
# they come in and in whatever pieces they are worked on, and its output files are whole.
set -eu
clnorm=$(realpath "$1")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"

must_have() {
    grep -qF -e "$2" "$1" || fail "$1 has no '$2' in it: $(head -c 300 "$1" | tr -c '[:print:]' ' ')"
}
must_equal() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }
must_be_gone() { rm -f out.npy mean.npy rstd.npy; no_leftovers; }

npy x.npy "'<f4'" False '(5, 7, 31)' 4340
npy w.npy "'<f4'" False '(7, 31)' 868
npy flat.npy "'<f4'" False '(217,)' 868

# ---- shapes ----
must_pass run x.npy -o out.npy --axes 2 --weight w.npy --bias flat.npy --mean mean.npy \
    --rstd rstd.npy --verify
must_have out.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 7, 31), }"
must_have mean.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }"
must_have rstd.npy "'shape': (5,), }"
must_have stdout 'verified: 1095 values'
must_have stderr 'normalized by device'
cp out.npy first.npy
must_pass run x.npy -o out.npy --axes 2 --weight flat.npy --bias w.npy
must_equal out.npy first.npy
must_pass run x.npy -o out.npy --mean mean.npy
must_have mean.npy "'shape': (5, 7), }"
must_pass run x.npy -o out.npy --axes 3 --mean mean.npy --op rms_norm --eps 0
must_have mean.npy "'shape': (), }"
must_be_gone

# ---- pieces: a buffer for a few rows at a time ----
npy tall.npy "'<f4'" False '(1000, 33)' 132000
must_pass run tall.npy -o whole.npy
must_pass run tall.npy -o out.npy --max-device-bytes 4K --json
must_equal out.npy whole.npy
grep -q '"chunks": [0-9][0-9]' stdout || fail 'fewer than 10 chunks'
must_be_gone

# ---- more than one block of what is verified at a time; rows differ from block to block ----
npy blocks.npy "'<f4'" False '(1900001, 37)' 281200148
must_pass run blocks.npy -o out.npy --mean mean.npy --rstd rstd.npy --verify
must_pass run blocks.npy --verify
must_have stdout '1900001 rows of 37'
must_be_gone
# zeroes give zeroes: only the last row, in the last block, can have an error
npy blocks.npy "'<f4'" False '(70000, 1024)' 0
truncate -s $((128 + 69999 * 4096)) blocks.npy
data 4096 >>blocks.npy
must_pass run blocks.npy --verify --json
must_have stdout '"compared": 71680000'
grep -q '"max_error": 0.0' stdout && fail 'the last row was not seen'
must_be_gone
rm blocks.npy

# ---- types ----
npy f32.npy "'<f4'" False '(16, 31)' 1984
npy f16.npy "'<f2'" False '(16, 31)' 992
npy f64.npy "'<f8'" False '(16, 31)' 3968
npy u16.npy "'<u2'" False '(16, 31)' 992
for out in f32:f4 f16:f2 bf16:u2; do
    must_pass run f32.npy -o out.npy --out-dtype ${out%:*} --verify --dtype f32
    must_have out.npy "'<${out#*:}'"
    must_pass run f16.npy -o out.npy --out-dtype ${out%:*} --verify
    must_have out.npy "'<${out#*:}'"
    must_pass run u16.npy -o out.npy --out-dtype ${out%:*} --verify --dtype bf16
    must_have out.npy "'<${out#*:}'"
done
must_pass run u16.npy -o out.npy --dtype bf16
must_have out.npy "'<u2'"
rm out.npy
# a device without double says so
if "$clnorm" run f64.npy --verify 2>&1 | grep -q 'cl_khr_fp64'; then
    must_fail 3 'use f32, f16 or bf16' run f64.npy -o out.npy
else
    must_pass run f64.npy -o out.npy --mean mean.npy --verify
    must_have out.npy "'<f8'"
    must_have mean.npy "'<f8'"
fi
must_be_gone

# ---- the same numbers in other files ----
npy u8.npy "'|u1'" False '(5, 4, 3)' 60
{ printf '\000\000\010\003\000\000\000\005\000\000\000\004\000\000\000\003'; data 60; } >u8.idx
gzip -c u8.idx >u8.idx.gz
must_pass run u8.npy -o whole.npy --axes 2 --verify
must_have whole.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 4, 3), }"
for name in u8.idx u8.idx.gz; do
    must_pass run $name -o out.npy --axes 2
    must_equal out.npy whole.npy
done
# a header that leaves the data at an odd address, and one of version 2
{ printf "\\223NUMPY\\001\\000=\\000{'descr': '<f4', 'fortran_order': False, 'shape': (16, 31), }"
  data 1984; } >odd.npy
{ printf "\\223NUMPY\\002\\000=\\000\\000\\000{'descr': '<f4', 'fortran_order': False, 'shape': (16, 31), }"
  data 1984; } >version2.npy
must_pass run f32.npy -o whole.npy
for name in odd.npy version2.npy; do
    must_pass run $name -o out.npy
    must_equal out.npy whole.npy
done
must_be_gone

# ---- nothing to do ----
npy none.npy "'<f4'" False '(0, 32)' 0
must_pass run none.npy -o out.npy --verify --mean mean.npy
must_have out.npy "'shape': (0, 32), }"
must_have mean.npy "'shape': (0,), }"
[ "$(wc -c <out.npy)" -eq 128 ] || fail 'out.npy of 0 rows has data'
must_be_gone
must_pass run none.npy --verify --device all

# ---- reports ----
must_pass run x.npy --verify --device all
must_have stdout 'layer_norm, 35 rows of 31, f32 to f32'
n_devices=$("$clnorm" devices --device all --json | grep -c '"usable": true')
[ "$(grep -c 'PASS$' stdout)" -eq "$n_devices" ] || fail "not a line for each of $n_devices devices"
must_pass run x.npy --verify --device all --json
must_have stdout '"verdict": "passed"'
must_have stdout '"bytes_per_second":'
[ "$(grep -c '"verdict"' stdout)" -eq "$n_devices" ] || fail "not a result for each device"
must_pass run x.npy --verify
[ "$(grep -c 'PASS$' stdout)" -eq 1 ] || fail 'not one line for one device'
export COLUMNS=80
must_pass run x.npy --verify --device all
[ "$(awk 'length > 80' stdout | wc -l)" -eq 0 ] || fail 'a line is wider than 80 columns'
unset COLUMNS
for what in --help --version 'run --help' 'devices --help' 'check --help'; do
    # shellcheck disable=SC2086
    must_pass $what
    [ ! -s stderr ] || fail 'something on stderr'
done
case_name='standard output that is full'
code=0
"$clnorm" --help >/dev/full 2>stderr || code=$?
[ "$code" -eq 2 ] || fail "exit code $code, must be 2"

# ---- a file that is there stays until the new one is whole ----
echo old >out.npy
chmod 600 out.npy
case_name='an old output'
"$clnorm" run x.npy -o out.npy --max-device-bytes 64 2>stderr && fail 'exit code 0'
[ "$(cat out.npy)" = old ] || fail 'the old file is gone'
must_pass run x.npy -o out.npy
must_have out.npy 'NUMPY'
must_be_gone

# ---- a large file: what is done leaves the memory, and a signal leaves no file ----
rows=262144
{ printf '\223NUMPY\001\000v\000%-117s\n' \
    "{'descr': '<f4', 'fortran_order': False, 'shape': ($rows, 1024), }"; } >large.npy
truncate -s $((128 + rows * 4096)) large.npy

# start ARGUMENT...: in the background, until the temporary file is there
start() {
    "$clnorm" "$@" >stdout 2>stderr </dev/null &
    pid=$!
    for _ in $(seq 600); do
        for file in .clnorm-*; do
            [ -e "$file" ] && return
        done
        kill -0 $pid 2>/dev/null || return
        sleep 0.1
    done
}

for signal in TERM HUP; do
    case_name="SIG$signal"
    cases=$((cases + 1))
    start run large.npy -o out.npy --verify
    kill -$signal $pid
    code=0
    wait $pid || code=$?
    [ "$code" -eq 130 ] || fail "exit code $code, must be 130"
    no_leftovers
done

if [ -r /proc/self/status ]; then
    case_name='peak memory of 1 GiB in pieces of 64 MiB'
    cases=$((cases + 1))
    start run large.npy -o out.npy --max-device-bytes 64M
    peak=0
    while new=$(sed -n 's/VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$pid/status 2>/dev/null); do
        [ -n "$new" ] || break
        peak=$new
        sleep 0.05
    done
    wait $pid || fail "exit code $?"
    echo "peak memory: $peak kB"
    # both files in memory would be 2 GiB; an OpenCL driver alone is up to 300 MiB
    [ "$peak" -gt 0 ] || fail 'the memory was not seen'
    [ "$peak" -lt 700000 ] || fail "$peak kB, must be below 700000"
fi
must_be_gone

finish
