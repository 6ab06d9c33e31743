#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/bench.sh COMMAND LAYER: no number of what is wrong, failed or unsupported; formats that
# strict readers take; bad input told before anything is measured.
set -eu
clnorm=$(realpath "$1")
layer=$(realpath "$2")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"
reader=$(dirname "$(realpath "$0")")/bench_read.py

# Short: what is looked at is not the speed.
bench_args='--rounds 2 --min-samples 2 --round-time 0'

# ---- what is wrong with the command line ----
must_fail 2 "--preset 'x': must be smoke|transformer|vision|launch|long" bench --preset x
must_fail 2 "--rounds '0': must be 1 to 200" bench --rounds 0
must_fail 2 "--min-samples '5000': must be 1 to 4096" bench --min-samples 5000
must_fail 2 "--round-time 'nan': must be 0 to 3600" bench --round-time nan
must_fail 2 "--timer 'x': must be auto|event|host" bench --timer x
must_fail 2 "--format 'xml': must be table|markdown|csv|json|jsonl|sql" bench --format xml
must_fail 2 "--out 'x.xls': must end with .json" bench --out x.xls
must_fail 2 "layer_nor f32 4x4" bench 'layer_nor f32 4x4'
mkdir directory.json
must_fail 2 'directory.json: is a directory' bench -o directory.json
must_fail 2 'none/x.json' bench -o none/x.json
[ ! -s stdout ] || fail 'something was measured'
must_fail 3 'no such thing' bench --device 'name=no such thing'
must_pass bench --list --preset launch backward
[ "$(cat stdout)" = "layer_norm f32 backward 16x768 cold
rms_norm f32 backward 8x4096 cold" ] || fail "--list: $(cat stdout)"

# ---- all formats of one run ----
# shellcheck disable=SC2086 # a list of words
must_pass bench $bench_args --title 'a "title", <b>' -o a.json -o a.jsonl -o a.csv -o a.sql -o a.md \
    'layer_norm 64x768' 'layer_norm+residual f16 33x100' 'rms_norm bf16 backward 600x256' \
    'layer_norm f32 backward 4096x512' 'batch_norm/nchw backward 8x640 channels=64' \
    'rms_norm+i8/row 128x512 warm' 'layer_norm+dropout 40x96' 'lp_norm/2 64x300 f64' \
    'layer_norm backward 4099x768'
grep -q '^layer_norm f32 forward 64x768 cold' stdout || fail "no row in the table: $(cat stdout)"
grep -q 'ULP' stdout || fail 'no verdict in the table'
[ ! -s stderr ] || fail "on stderr: $(cat stderr)"
python3 "$reader" a.json a.jsonl a.csv a.sql a.md || fail 'a reader refused a format'
no_leftovers

# ---- a kernel that is wrong has no speed, whether from the start or while it is timed ----
case_name='a wrong kernel' cases=$((cases + 1))
code=0
# shellcheck disable=SC2086 # a list of words
OPENCL_LAYERS=$layer CLNORM_LAYER_FALSIFY=forward_norm "$clnorm" bench $bench_args --json \
    'layer_norm 64x768' 'layer_norm backward 64x768' >stdout 2>stderr || code=$?
[ $code -eq 1 ] || fail "exit code $code, must be 1: $(cat stdout stderr)"
python3 - <<'END' || fail "of a wrong kernel: $(cat stdout)"
import json
wrong, right = json.load(open("stdout"))["results"]
assert wrong["status"] == "wrong" and "expected" in wrong["reason"], wrong
assert "seconds" not in wrong and wrong["check"]["wrong"] > 0
assert right["status"] == "ok" and right["seconds"]["median"] > 0
END

# ---- launches that are lost leave nothing that is right from an earlier one ----
# lost KERNEL:N CASE TENSOR
lost() {
    case_name="$1 and on are lost: $2" cases=$((cases + 1)) code=0
    OPENCL_LAYERS=$layer CLNORM_LAYER_LOSE=$1 "$clnorm" bench --rounds 1 --min-samples 2 \
        --round-time 0 --json "$2" >stdout 2>stderr || code=$?
    [ $code -eq 1 ] || fail "exit code $code, must be 1: $(cat stdout stderr)"
    grep -q "\"reason\": *\"$3 has other bits" stdout || fail "$(cat stdout)"
}
lost forward_norm:1 'layer_norm 64x768' y
lost forward_norm:1 'rms_norm+i8/row 128x512 warm' y
lost backward_norm:1 'layer_norm backward 64x768' dx
# calls that are a sample each: the first, three to warm up, two that are timed
lost backward_norm:5 'layer_norm backward 8192x512 warm' dx
lost add_lines:5 'layer_norm backward 8192x512 warm' dweight

# ---- Ctrl-C: what there is, and 130 ----
case_name='interrupted' cases=$((cases + 1))
"$clnorm" bench --rounds 200 --round-time 1 --json 'layer_norm 64x768' 'layer_norm 32x768' \
    >stdout 2>stderr &
pid=$!
sleep 8
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code -eq 130 ] || fail "exit code $code, must be 130"
python3 -c 'import json; assert json.load(open("stdout"))["complete"] is False' || fail 'not told'
no_leftovers
finish
