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
npy w33.npy "'<f4'" False '(33,)' 132
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

# ---- the family: each operator, proved by the host reference ----
npy image.npy "'<f4'" False '(4, 6, 5, 3)' 1440
npy nhwc.npy "'<f4'" False '(4, 5, 3, 6)' 1440
npy dimage.npy "'<f4'" False '(4, 6, 5, 3)' 1440
npy channel.npy "'<f4'" False '(6,)' 24
npy m.npy "'<f4'" False '(6, 32)' 768
npy dm.npy "'<f2'" False '(6, 32)' 384
npy other.npy "'<f4'" False '(6, 32)' 768
npy row.npy "'<f4'" False '(32,)' 128
npy rows.npy "'<f4'" False '(6,)' 24
npy mods.npy "'<f4'" False '(3, 32)' 384
npy one.npy "'<f4'" False '()' 4

# proved ARGUMENT...: run, and compare with the reference
proved() {
    must_pass run "$@" --verify
    grep -q '^verified: ' stdout || fail 'nothing was verified'
}
proved m.npy -o out.npy --op rms_norm --weight row.npy --weight-offset 1 --eps-outside
proved m.npy -o out.npy --op rms_norm --stats-cols 16 --cast-first --weight row.npy --out-dtype f16
proved m.npy -o out.npy --groups 4 --ddof 1 --mean mean.npy
must_have mean.npy "'shape': (6, 4), }"
proved m.npy -o out.npy --center-only
proved m.npy -o out.npy --given-mean rows.npy --given-rstd rows.npy
proved image.npy -o out.npy --op group_norm --groups 3 --weight channel.npy --bias channel.npy \
    --rstd rstd.npy
must_have rstd.npy "'shape': (4, 3), }"
proved nhwc.npy -o out.npy --op group_norm --groups 2 --layout nhwc --weight channel.npy
proved image.npy -o out.npy --op instance_norm --mean mean.npy
must_have mean.npy "'shape': (4, 6), }"
proved image.npy -o out.npy --op batch_norm --weight channel.npy --bias channel.npy --mean mean.npy
must_have mean.npy "'shape': (6,), }"
proved image.npy -o out.npy --op batch_norm --running-mean channel.npy --running-var channel.npy
must_pass run image.npy --verify --op batch_norm --running-mean channel.npy \
    --running-var channel.npy --max-device-bytes 1K
proved nhwc.npy -o out.npy --op batch_norm --layout nhwc --running-mean channel.npy \
    --running-var channel.npy --new-running-mean mean.npy --new-running-var rstd.npy --momentum 0.5
must_have rstd.npy "'shape': (6,), }"
cmp -s rstd.npy channel.npy && fail 'the running variance is as before'
for op in lp_norm l2_norm weight_norm mvn; do
    proved m.npy -o out.npy --op $op
done
cp out.npy first.npy
proved m.npy -o out.npy --op mvn --eps 1e-9 --eps-outside
must_equal out.npy first.npy
proved image.npy -o out.npy --op mvn --channels 6
proved m.npy -o out.npy --op lp_norm --p 1
proved m.npy -o out.npy --op weight_norm --weight rows.npy
must_be_gone
proved m.npy -o out.npy --residual other.npy --alpha 0.5 --x-bias row.npy --gate mods.npy --sum sum.npy
must_have sum.npy "'shape': (6, 32), }"
proved m.npy -o out.npy --residual dm.npy --sum-exact --sum sum.npy
must_have sum.npy "'<f2'"
proved m.npy -o out.npy --scale mods.npy --shift mods.npy --scale-offset 0
proved m.npy -o out.npy --scale m.npy --dropout 0.25 --seed 7
cp out.npy first.npy
must_pass run m.npy -o out.npy --scale m.npy --dropout 0.25 --seed 8
cmp -s out.npy first.npy && fail 'the seed changes nothing'
must_pass run m.npy -o out.npy --scale m.npy --dropout 0.25 --seed 7 --max-device-bytes 2K
must_equal out.npy first.npy
proved m.npy -o out.npy --op rms_norm --silu-after other.npy
proved m.npy -o out.npy --op rms_norm --silu-before other.npy
must_be_gone

# ---- 8 bits ----
proved m.npy -o out.npy --out-dtype i8 --quant row --qscale scale.npy --qsum qsum.npy
must_have out.npy "'|i1'"
must_have scale.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"
must_have qsum.npy "{'descr': '<i4', 'fortran_order': False, 'shape': (6,), }"
proved m.npy -o out.npy --out-dtype i8 --quant row --asymmetric --qscale scale.npy --qzero zero.npy
must_have zero.npy "{'descr': '|i1', 'fortran_order': False, 'shape': (6,), }"
proved m.npy -o out.npy --out-dtype i8 --quant group --quant-group 8 --asymmetric \
    --qscale scale.npy --qzero zero.npy
must_have zero.npy "{'descr': '|i1', 'fortran_order': False, 'shape': (6, 4), }"
npy zero.npy "'|i1'" False '()' 1
proved m.npy -o out.npy --out-dtype i8 --quant static --asymmetric --qscale one.npy \
    --qzero zero.npy
must_pass run m.npy --verify --out-dtype i8 --quant static --asymmetric --qscale one.npy \
    --qzero zero.npy
proved m.npy -o out.npy --out-dtype i8 --quant static --qscale one.npy
for out in e4m3 e5m2; do
    proved m.npy -o out.npy --out-dtype $out --quant group --quant-group 8 --qscale scale.npy
    must_have out.npy "'|u1'"
    must_have scale.npy "'shape': (6, 4), }"
done
must_pass run m.npy --verify --out-dtype i8 --quant row --device all
must_be_gone

# ---- gradients ----
proved m.npy --backward dm.npy --dx dx.npy --weight row.npy --dweight dw.npy --dbias db.npy
must_have dx.npy "'<f4'"
must_have dw.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (32,), }"
proved m.npy --backward dm.npy --dx dx.npy --grad-dtype f16
must_have dx.npy "'<f2'"
must_pass run m.npy -o out.npy --mean mean.npy --rstd rstd.npy
proved m.npy --backward other.npy --dx dx.npy --mean mean.npy --rstd rstd.npy
proved out.npy --backward other.npy --dx dx.npy --rstd rstd.npy --from-output
proved m.npy --backward other.npy --dx dx.npy --given-mean rows.npy --given-rstd rows.npy \
    --dmean dmean.npy --drstd drstd.npy
must_have drstd.npy "'shape': (6,), }"
proved m.npy --backward other.npy --dx dx.npy --residual other.npy --dresidual dr.npy --x-bias row.npy \
    --dx-bias dxb.npy --gate mods.npy --dgate dg.npy --dsum m.npy
must_have dg.npy "'shape': (3, 32), }"
must_have dxb.npy "'shape': (32,), }"
proved m.npy --backward other.npy --scale mods.npy --dscale ds.npy --dshift dt.npy
must_have dt.npy "'shape': (3, 32), }"
proved m.npy --backward other.npy --scale row.npy --shift row.npy --dscale ds.npy --gate row.npy \
    --dgate dg.npy
must_have ds.npy "'shape': (32,), }"
must_have dg.npy "'shape': (32,), }"
proved m.npy --backward other.npy --op rms_norm --silu-after m.npy --dz dz.npy --dx dx.npy
for op in group_norm instance_norm batch_norm; do
    proved image.npy --backward dimage.npy --op $op --dx dx.npy --weight channel.npy --dweight dw.npy
    must_have dw.npy "'shape': (6,), }"
done
proved m.npy --backward other.npy --op weight_norm --weight rows.npy --dweight dw.npy --dx dx.npy
must_have dw.npy "'shape': (6,), }"
for op in rms_norm lp_norm mvn; do
    proved m.npy --backward other.npy --op $op --dx dx.npy
done
must_pass run m.npy --backward other.npy --dx dx.npy --json
must_have stdout '"direction": "backward"'
must_have stderr 'gradients by device'
must_have stdout '"outputs": {'
# in pieces: the same bits
must_pass run tall.npy --backward tall.npy --dx dx.npy --weight w33.npy --dweight dw.npy
cp dx.npy whole-dx.npy
cp dw.npy whole-dw.npy
must_pass run tall.npy --backward tall.npy --dx dx.npy --weight w33.npy --dweight dw.npy \
    --max-device-bytes 40K --json
grep -q '"chunks": [0-9][0-9]' stdout || fail 'fewer than 10 chunks'
must_equal dx.npy whole-dx.npy
must_equal dw.npy whole-dw.npy
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
must_pass run none.npy -o out.npy --scale none.npy --verify
rm out.npy
must_pass run none.npy --backward none.npy --dx dx.npy --weight row.npy --dweight dw.npy --verify
[ "$(tail -c 128 dw.npy | tr -d '\000' | wc -c)" -eq 0 ] || fail 'a sum over 0 rows is not 0'

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
for report in --json --verify; do
    case_name="clnorm run $report to standard output that is full"
    cases=$((cases + 1))
    code=0
    "$clnorm" run x.npy -o out.npy $report >/dev/full 2>stderr || code=$?
    [ "$code" -eq 2 ] || fail "exit code $code, must be 2"
    grep -q '^clnorm: cannot write' stderr || fail 'no reason'
    no_leftovers
done

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
    env --default-signal "$clnorm" "$@" >stdout 2>stderr </dev/null & # even if ours are ignored
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

# sums over all rows are compared in one go, and a signal that comes meanwhile is not lost
npy grad.npy "'<f4'" False '(400000, 64)' 102400000
case_name='SIGTERM while gradients are compared'
cases=$((cases + 1))
start run grad.npy --backward grad.npy --dx out.npy --dweight mean.npy --verify
sleep 1
kill -TERM $pid
code=0
wait $pid || code=$?
[ "$code" -eq 130 ] || fail "exit code $code, must be 130"
no_leftovers
rm grad.npy

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
