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
must_fail 2 "--seed '9007199254740993': must be 0 to 2^53" bench --seed 9007199254740993
must_fail 2 "--shape ',': must be a list of ROWSxCOLS" bench --shape ,
must_fail 2 "--op ',': must be a list of" bench --op , --shape 4x4
must_fail 2 'none of --op has cases forward' bench --op layer_norm+from_output --shape 16x64
must_fail 2 "'f16' is the second word of its kind" bench --list 'layer_norm f32 f16 16x64'
must_fail 2 "--timer 'x': must be auto|event|host" bench --timer x
must_fail 2 "--format 'xml': must be table|markdown|csv|json|jsonl|sql" bench --format xml
must_fail 2 '--json and --format do not go together' bench --json --format csv
must_fail 2 '--list and --out do not go together' bench --list -o x.json
must_fail 2 '--list and --json do not go together' bench --list --json
must_fail 2 '--list and --device do not go together' bench --list --device all
must_fail 2 "--out 'x.xls': must end with .json" bench --out x.xls
must_fail 2 "--op 'rms_norm': means nothing for 'layer_norm 4x4'" \
    bench --op rms_norm 'layer_norm 4x4'
must_fail 2 "layer_nor f32 4x4" bench 'layer_nor f32 4x4'
mkdir directory.json
must_fail 2 'directory.json: is a directory' bench -o directory.json
must_fail 2 'none/x.json' bench -o none/x.json
[ ! -s stdout ] || fail 'something was measured'
must_fail 3 'no such thing' bench --device 'name=no such thing'
must_pass bench --list --preset launch backward
[ "$(cat stdout)" = "layer_norm f32 backward 16x768 cold
rms_norm f32 backward 8x4096 cold" ] || fail "--list: $(cat stdout)"

# ---- all formats of one run, and the page of clnorm report ----
# shellcheck disable=SC2086 # a list of words
must_pass bench $bench_args --title 'a "title", <b>' -o a.json -o a.jsonl -o a.csv -o a.sql -o a.md -o a.html \
    'layer_norm 64x768' 'layer_norm+residual f16 33x100' 'rms_norm bf16 backward 600x256' \
    'layer_norm f32 backward 4096x512' 'batch_norm/nchw backward 8x640 channels=64' \
    'rms_norm+i8/row 128x512 warm' 'layer_norm+dropout 40x96' 'lp_norm/2 64x300 f64' \
    'layer_norm backward 4099x768' \
    'layer_norm+modulation/sample backward 4100x1152 rows_per_mod=256'
grep -q '^layer_norm f32 forward 64x768 cold' stdout || fail "no row in the table: $(cat stdout)"
grep -q 'ULP' stdout || fail 'no verdict in the table'
[ ! -s stderr ] || fail "on stderr: $(cat stderr)"
python3 "$reader" a.json a.jsonl a.csv a.sql a.md || fail 'a reader refused a format'
must_pass compare --validate a.json a.jsonl a.html
must_pass compare a.html a.json
grep -q 'over 10 cases' stdout || fail "the page: $(cat stdout)"
python3 - <<'END' || fail 'the page has other data than the JSON'
import json
page = open("a.html").read()
data = page.split('id="clnorm-data">', 1)[1].split("</script>", 1)[0]
(file,) = json.loads(data)["files"]
assert file["name"] == "a.html" and file["data"] == json.load(open("a.json"))
END
no_leftovers

# ---- what was measured, with what, and where ----
# shellcheck disable=SC2086 # a list of words
must_pass bench $bench_args --json --preset launch --dtype f32 '16x768 forward' \
    'rms_norm forward'
"$clnorm" --version >version
python3 - <<'END' || fail "of the run: $(head -c 2000 stdout)"
import json
import re
run = json.load(open("stdout"))
assert run["settings"]["preset"] == "launch", run["settings"]
wanted = ["--dtype f32", "16x768 forward", "rms_norm forward"]
assert run["settings"]["filter"] == wanted, run["settings"]
version, commit = re.fullmatch(r"clnorm (\S+)(?: \(([0-9a-f]{7,40}(?:-dirty)?)\))?\n",
                               open("version").read()).groups()
assert run["tool"]["version"] == version and run["tool"]["commit"] == commit, run["tool"]
assert run["devices"][0]["platform_version"].startswith("OpenCL "), run["devices"]
END

# ---- what has no room has failed; the command is in the file as a shell takes it ----
case_name='no room for a case' cases=$((cases + 1)) code=0
title="it's \"a\" \$HOME $(data 2000)"
set -- --rounds 1 --min-samples 2 --round-time 0 --json --title "$title" \
    'layer_norm 1048576x1048576' 'layer_norm 64x768'
"$clnorm" bench "$@" >stdout 2>stderr || code=$?
[ $code -eq 3 ] || fail "exit code $code, must be 3"
python3 - "$@" <<'END' || fail "not the command: $(grep '"command"' stdout)"
import json
import shlex
import sys
run = json.load(open("stdout"))
assert [r["status"] for r in run["results"]] == ["oom", "ok"], run["results"]
assert shlex.split(run["command"]) == ["clnorm", "bench"] + sys.argv[1:]
END

# ---- nothing more is measured once nobody reads it ----
case_name='lines to a full disk' cases=$((cases + 1)) code=0
# shellcheck disable=SC2086 # a list of words
"$clnorm" bench $bench_args --format jsonl -o full.json 'layer_norm 1048576x1048576' \
    'layer_norm 64x768' >/dev/full 2>stderr || code=$?
[ $code -eq 3 ] || fail "exit code $code, must be 3"
[ "$(wc -l <stderr)" -eq 1 ] || fail 'not one line on stderr'
python3 - <<'END' || fail 'it went on'
import json
run = json.load(open("full.json"))
assert run["complete"] is False and [r["status"] for r in run["results"]] == ["oom"], run
END

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
# more samples than sets, of which there are 11 and 3: calls come where calls were
for n in 14 20 24; do
    case_name="after $n calls" cases=$((cases + 1)) code=0
    OPENCL_LAYERS=$layer CLNORM_LAYER_LOSE=forward_norm:$n "$clnorm" bench --rounds 1 \
        --min-samples 20 --round-time 0 --json 'layer_norm 4096x768' 'layer_norm 16384x1024' \
        >stdout 2>stderr || code=$?
    [ $code -eq 1 ] || fail "exit code $code, must be 1: $(cat stdout stderr)"
    [ "$(grep -c 'y has other bits' stdout)" -eq 2 ] || fail "$(cat stdout)"
done

# ---- a kernel that other programs do not use is told ----
case_name='a kernel that failed the self-test' cases=$((cases + 1))
export CLNORM_CACHE_DIR="$scratch/programs"
npy x.npy "'<f4'" False '(6, 768)' 18432
npy w.npy "'<f4'" False '(768,)' 3072
OPENCL_LAYERS=$layer CLNORM_LAYER_FALSIFY=forward_norm "$clnorm" run x.npy --weight w.npy \
    --bias w.npy -o y.npy 2>stderr && fail 'a kernel that is wrong was used'
# shellcheck disable=SC2086 # a list of words
OPENCL_LAYERS=$layer "$clnorm" bench $bench_args --json 'layer_norm 64x768' >stdout 2>stderr ||
    fail "exit code $?"
python3 - <<'END' || fail "not told: $(tail -n 3 stdout)"
import json
(result,) = json.load(open("stdout"))["results"]
assert result["status"] == "ok", result
assert "FALLBACK" in [w["code"] for w in result["warnings"]], result["warnings"]
END

# ---- lines appear when their results are there; Ctrl-C: what there is, and 130 ----
case_name='interrupted' cases=$((cases + 1))
: >stdout
OPENCL_LAYERS=$layer CLNORM_LAYER_FALSIFY=forward_norm "$clnorm" bench --rounds 200 --round-time 0.5 \
    --format jsonl -o b.json 'layer_norm 64x768' 'layer_norm 64x768 backward' >stdout 2>stderr &
pid=$!
while [ ! -s stdout ] && kill -0 $pid; do sleep 0.1; done
[ "$(grep -c '"status":"wrong"' stdout)" -eq 1 ] || fail "not the first line: $(cat stdout)"
sleep 8
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code -eq 130 ] || fail "exit code $code, must be 130"
python3 - <<'END' || fail "what is left: $(cat stdout)"
import json
whole = json.load(open("b.json"))
lines = [json.loads(line) for line in open("stdout")]
assert whole["complete"] is False and [line["complete"] for line in lines] == [False, False]
assert [line["status"] for line in lines] == ["wrong", "ok"]
assert lines[1]["rounds"] == whole["results"][1]["rounds"] and len(lines[1]["rounds"]) < 200
END
no_leftovers

# ---- a run that ended says so in its last line, which readers of lines go by ----
# shellcheck disable=SC2086 # a list of words
must_pass bench $bench_args --format jsonl 'layer_norm 64x768' 'rms_norm 64x768' 'lp_norm/2 64x300'
cp stdout c.jsonl
[ "$(grep -c '"complete":false' c.jsonl)$(grep -c '"complete":true' c.jsonl)" = 21 ] ||
    fail "$(grep -o '"complete":[a-z]*' c.jsonl)"
must_pass compare --merge -o merged.json c.jsonl a.json
grep -q '"complete": *true' merged.json || fail 'its lines were taken for a run that was cut short'
finish
