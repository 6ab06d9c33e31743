#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/compare.sh COMMAND FIXTURES: files of results are read or refused with the place of what
# is wrong, verdicts are right where the truth is known, and each format is read back.
set -eu
clnorm=$(realpath "$1")
fixtures=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/cli/npy.sh
. "$here/npy.sh"
export PYTHONDONTWRITEBYTECODE=1

results() { python3 "$fixtures/bench_results.py" "$@"; }
# vary FROM TO [OPTION...]: the same from another run.
vary() {
    from=$1 to=$2
    shift 2
    python3 "$fixtures/vary.py" "$@" <"$from" >"$to"
}

# must_say TEXT: on stdout.
must_say() { grep -qF -e "$1" stdout || fail "stdout has no '$1' in it: $(cat stdout)"; }
must_not_say() { ! grep -qF -e "$1" stdout || fail "stdout has '$1' in it: $(cat stdout)"; }
# expect_verdict VERDICT CASE: in the table on stdout.
expect_verdict() {
    grep -F -e "$2 " stdout | grep -q " $1 " || fail "not $1: $(grep -F -e "$2" stdout)"
}

results --devices 1 --cases 12 >a.json
results --devices 1 --cases 4 --rounds 5 >short.json
vary a.json b.json
big="batch_norm/nchw f64 forward 65536x64 channels=64 cold"
small='layer_norm bf16 backward 257x769 cold'

# ---- files that cannot be read ----
must_fail 2 'FILE is missing' compare
must_fail 2 'none.json: cannot be read: No such file' compare a.json none.json
mkdir directory.json
must_fail 2 'directory.json: cannot be read: Is a directory' compare a.json directory.json
: >empty.json
must_fail 2 'empty.json: is empty; must be what clnorm bench or clnorm report wrote' \
    compare a.json empty.json
must_fail 2 'standard input: is empty' compare a.json -
head -c 20000 a.json >cut.json
must_fail 2 'cut.json: line ' compare a.json cut.json
head -c 20000 a.json | tr '\n' ' ' >cut.json
must_fail 2 'cut.json: line 1, column ' compare a.json cut.json
echo '{"schema": "clnorm.bench/1", "schema": "clnorm.bench/1"}' >twice.json
must_fail 2 "duplicate object key near '\"schema\"'" compare a.json twice.json
{ cat a.json && echo '{}'; } >more.json
must_fail 2 'more.json: there is more behind the document' compare a.json more.json
printf '{"a": "\377"}' >latin.json
must_fail 2 'latin.json: line 1, column ' compare a.json latin.json
printf '{"a": 1\000}' >zero.json
must_fail 2 'zero.json: is not text' compare a.json zero.json
echo '[1, 2]' >array.json
must_fail 2 'array.json: is an array; must be an object' compare a.json array.json
echo '{"schema": "clnorm.bench/2", "results": 5}' >newer.json
must_fail 2 "newer.json: schema: is 'clnorm.bench/2'; must be clnorm.bench/1" compare a.json newer.json
echo '{"a": 1}' >other.json
must_fail 2 'other.json: schema: is missing; must be clnorm.bench/1' compare a.json other.json
python3 -c "print('[' * 100000)" >deep.json
must_fail 2 'deep.json: line 1, column ' compare a.json deep.json
echo '{"schema": 1e400}' >huge.json
must_fail 2 'huge.json: line 1, column ' compare a.json huge.json

# ---- values that are not allowed ----
while IFS='|' read -r change text; do
    vary short.json bad.json --set "$change"
    must_fail 2 "bad.json: $text" compare a.json bad.json
done <<'END'
results.0.seconds.median="fast"|results[0].seconds.median: is 'fast'; must be a number above 0
results.0.seconds.median=0|results[0].seconds.median: is 0; must be a number above 0
results.0.of_copy=null|results[0].of_copy: is null; must be a number above 0
results.0.rounds.1.seconds.2=-1.5|results[0].rounds[1].seconds: is an array; must be an array of
results.0.rounds=[]|results[0].rounds: is empty; must be at least one round
results.0.check.verdict="wrong"|results[0].check: its verdict is not ok
results.0.device=7|results[0].device: is 7; must be a place in devices, which has 1
results.0.status="fine"|results[0].status: is 'fine'; must be ok|wrong|unsupported|oom|error
results.0.status="oom"|results[0].seconds: is there, and the status is not ok
results.1.case="layer_norm f32 forward 4096x768 cold"|results[1].case: 'layer_norm f32 forward 4096x768 cold' of device 0 is there already, as results[0]
results.3=5|results[3]: is 5; must be an object
devices.0.id=""|devices[0].id: is ''; must be a text that is not empty
devices.0.timer.chosen="sun"|devices[0].timer.chosen: is 'sun'; must be event|host
devices=[]|results[0].device: is 0; must be a place in devices, which has 0
results.0.seconds.interval=[1]|results[0].seconds.interval: is an array; must be an array of two numbers above 0, or null
results.0.of_copy_interval=[2,1]|results[0].of_copy_interval: has its upper end first
END
vary short.json bad.json --delete results.0.cache
must_fail 2 'bad.json: results[0].cache: is missing; must be cold|warm' compare a.json bad.json

# ---- numbers that do not follow from the rounds: --validate alone looks at them ----
must_pass compare --validate a.json b.json short.json
must_say 'a.json: ok, 12 results of 1 devices'
for key in seconds.median seconds.min seconds.q1 seconds.q3 seconds.p99 seconds.samples \
    seconds.noise bytes_per_second copy_seconds copy_bytes_per_second of_copy; do
    vary short.json bad.json --set "results.0.$key=1000"
    case_name="--validate finds $key" cases=$((cases + 1)) code=0
    "$clnorm" compare --validate short.json bad.json >stdout 2>stderr || code=$?
    [ $code -eq 2 ] || fail "exit code $code, must be 2"
    [ "$(grep -vc ': ok,' stdout)" -eq 1 ] || fail "not one problem: $(cat stdout)"
    must_say "bad.json: results[0].$key: is 1000; of the rounds it is "
    must_pass compare short.json bad.json
done
vary short.json bad.json --set 'results.0.seconds.interval=[1,2]' --set results.2.launch_bound=false \
    --set 'results.1.cache="warm"' --set 'results.0.of_copy_interval=[1,2]'
case_name='--validate goes on' cases=$((cases + 1)) code=0
"$clnorm" compare --validate none.json bad.json >stdout 2>stderr || code=$?
[ $code -eq 2 ] || fail "exit code $code, must be 2"
must_say 'bad.json: results[0].seconds.interval[0]: is 1; of the rounds'
must_say 'bad.json: results[0].of_copy_interval[1]: is 2; of the rounds'
must_say "bad.json: results[1].cache: is 'warm'; of the case it is 'cold'"
must_say 'bad.json: results[2].launch_bound: is wrong'
grep -q 'none.json: cannot be read' stderr || fail 'the file that is not there is not named'

vary short.json bad.json --set 'results.0.rounds.1.copy_seconds=[1]'
case_name='--validate finds a sample without a copy' cases=$((cases + 1)) code=0
"$clnorm" compare --validate bad.json >stdout 2>stderr || code=$?
[ $code -eq 2 ] || fail "exit code $code, must be 2"
must_say 'bad.json: results[0].rounds[1].copy_seconds: has 1 numbers; seconds has '

# ---- what does not follow from the text of the case ----
while IFS='|' read -r change text; do
    vary short.json bad.json --set "$change"
    case_name="--validate $change" cases=$((cases + 1)) code=0
    "$clnorm" compare --validate bad.json >stdout 2>stderr || code=$?
    [ $code -eq 2 ] || fail "exit code $code, must be 2"
    must_say "bad.json: results[0].$text"
done <<'END'
results.0.bytes=25165824|bytes: is 25165824; of the case it is 25171968
results.0.copy_bytes=25171968|copy_bytes: is 25171968; of the case it is 25165824
results.0.op="rms_norm"|op: is 'rms_norm'; of the case it is 'layer_norm'
results.0.dtype="f16"|dtype: is 'f16'; of the case it is 'f32'
results.0.direction="backward"|direction: is 'backward'; of the case it is 'forward'
results.0.rows=4095|rows: is 4095; of the case it is 4096
results.0.cols=769|cols: is 769; of the case it is 768
results.0.case="layer_norm forward f32 4096x768 cold"|case: is 'layer_norm forward f32 4096x768 cold'; of the case it is 'layer_norm f32 forward 4096x768 cold'
results.0.case="layer_norm f32 forward cold"|case: is 'layer_norm f32 forward cold'; must be a case of clnorm bench
results.0.case="group_norm/nchw f32 forward 4096x768 channels=5 groups=2 cold"|case: is 'group_norm/nchw f32 forward 4096x768 channels=5 groups=2 cold'; channels is 5; allowed are divisors of cols, 768
END
# rates and shares by the new count are right then, and bytes that are counted in another way are
# nobody's business
python3 - short.json other-model.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for r in d["results"]:
    r["bytes"] *= 2
    for key in ("bytes_per_second", "of_copy"):
        r[key] *= 2
    r["of_copy_interval"] = [2 * end for end in r["of_copy_interval"]]
json.dump(d, open("doubled.json", "w"))
d["settings"]["traffic_model"] = 2
json.dump(d, open(sys.argv[2], "w"))
END
must_pass compare --validate other-model.json
case_name='--validate doubled.json' cases=$((cases + 1))
"$clnorm" compare --validate doubled.json >stdout 2>stderr && fail 'doubled bytes are not found'
[ "$(grep -c '].bytes: is' stdout)" -eq "$(wc -l <stdout)" ] || fail "$(cat stdout)"

# ---- what is wrong with the command line ----
must_fail 2 "--threshold '0': must be a number of percent above 0" compare a.json b.json --threshold 0
must_fail 2 "--threshold 'nan'" compare a.json b.json --threshold nan
must_fail 2 "--fail-on 'maybe': must be never|slow|wrong|any" compare a.json b.json --fail-on maybe
must_fail 2 "--pair 'A:0': must be two of A, B, such as A=B" compare a.json b.json --pair A:0
must_fail 2 "--pair 'A=C': must be two of A, B" compare a.json b.json --pair A=C
must_fail 2 "--pair 'A=A:0': must be two of A, B" compare a.json b.json --pair A=A:0
must_fail 2 '1 devices are there to compare; must be at least two' compare a.json
must_fail 2 '--validate and --merge do not go together' compare a.json --validate --merge
must_fail 2 '--matrix and --fail-on do not go together' compare a.json b.json --matrix --fail-on any
must_fail 2 '--explain: is text' compare a.json b.json --explain x --json
must_fail 2 "--explain 'nothing': no case has this in its name" compare a.json b.json --explain nothing
must_fail 2 'directory.json: is a directory' compare a.json b.json -o directory.json
must_fail 2 'none/out: cannot be written' compare a.json b.json -o none/out

# ---- two runs of the same, and a planted slowdown ----
must_pass compare a.json b.json --fail-on any
must_say 'over 12 cases; 0 FAST, 0 SLOW, 12 SAME, 0 UNSURE'
must_not_say 'differs'
must_not_say 'copy moved'
must_pass compare a.json a.json
must_say 'B is 1.00x (1.00-1.00) as fast as A over 12 cases; 0 FAST, 0 SLOW, 12 SAME, 0 UNSURE'
vary a.json slow.json --slower "$big=1.25" --set 'devices.0.driver_version="9.0"' --seed 3
must_pass compare a.json slow.json
must_say '; 0 FAST, 1 SLOW, 11 SAME, 0 UNSURE'
must_say "driver differs: '3.0.1' and '9.0'"
expect_verdict SLOW "$big"
must_not_say 'platform'
vary a.json other.json --set 'devices.0.platform="Another Runtime"' \
    --set 'devices.0.platform_version="OpenCL 3.1"' --set 'tool.commit="fedcba987654"'
must_pass compare a.json other.json
must_say "platform differs: 'Example Runtime' and 'Another Runtime'"
must_say "platform version differs: 'OpenCL 3.0 Example Runtime' and 'OpenCL 3.1'"
must_say "commit differs: '0123456789ab' and 'fedcba987654'"
vary a.json older.json --delete devices.0.platform_version --delete tool.commit
must_pass compare a.json older.json
must_not_say 'differs'
must_pass compare --validate older.json
must_pass compare slow.json a.json --fail-on slow
expect_verdict FAST "$big"
must_fail 1 "--fail-on: 1 case, the first is '$big': SLOW" compare a.json slow.json --fail-on slow
must_fail 1 "--fail-on: 1 case, the first is '$big': FAST" compare slow.json a.json --fail-on any
must_pass compare a.json slow.json --fail-on slow --threshold 30
must_pass compare a.json slow.json --fail-on wrong

# ---- the machine, not the kernels: half as fast, and so is the copy ----
vary a.json half.json --times 2 --copies 2
must_pass compare a.json half.json --fail-on any
must_say 'over 12 cases; 0 FAST, 0 SLOW, 12 SAME, 0 UNSURE'
must_say 'copy moved -5'
must_pass compare a.json half.json --by time
must_say 'B is 0.50x'
must_say 'raw times of two processes are not comparable'
vary a.json few.json --rounds 4 --times 2
must_pass compare a.json few.json
must_say '; 0 FAST, 0 SLOW, 12 UNSURE'
vary a.json noisy.json --noise 0.5
must_pass compare a.json noisy.json
grep -q "UNSURE ([0-9]*)" stdout || fail 'nothing is unsure of much noise'

COLUMNS=80 must_pass compare a.json slow.json
[ "$(grep -c ' 4096x768\(\.\.\| cold\)' stdout)" -eq 2 ] || fail 'no room for the names of cases'
[ "$(wc -L <stdout)" -le 92 ] || fail "lines of $(wc -L <stdout) columns in a terminal of 80"

# ---- cases of one side ----
vary b.json one.json --drop "$big"
must_pass compare a.json one.json
expect_verdict GONE "$big"
must_say '11 SAME, 0 UNSURE, 1 GONE'
must_pass compare one.json a.json --fail-on any
expect_verdict NEW "$big"
python3 - a.json wrong.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
r = d["results"][0]
for key in ("seconds", "bytes_per_second", "copy_seconds", "copy_bytes_per_second", "of_copy",
            "of_copy_interval", "rounds", "event_seconds", "host_seconds"):
    del r[key]
r["status"], r["reason"], r["check"]["verdict"] = "wrong", "y[3, 17] is 0.25, must\nbe\x1b[31m 1.5", "wrong"
json.dump(d, open(sys.argv[2], "w"))
END
for what in slow wrong any; do
    must_fail 1 "the first is 'layer_norm f32 forward 4096x768 cold': WRONG" \
        compare a.json wrong.json --fail-on $what
    must_fail 1 "1 case, the first is '$big': GONE" compare a.json one.json --fail-on $what
done
must_pass compare a.json wrong.json --explain 'layer_norm f32'
must_say 'WRONG: a result is wrong, and nothing wrong is measured: y[3, 17] is 0.25, must?be?[31m 1.5'

# ---- a gate that judged nothing is not green ----
for what in slow any; do
    must_fail 2 'nothing of A and B was judged: of the 12 cases on both, none has 5 rounds or more' \
        compare a.json few.json --fail-on $what
done
must_pass compare a.json few.json --fail-on wrong # which needs no rounds
python3 - a.json <<'END'
import json, sys
def write(name, results):
    json.dump({**d, "results": results}, open(name, "w"))
d = json.load(open(sys.argv[1]))
first, *others = d["results"]
head = {key: first[key] for key in ("case", "device", "op", "dtype", "direction", "rows", "cols", "cache")}
write("nothing.json", [])
write("unsupported.json", [{**head, "status": "unsupported", "reason": "no", "warnings": []}])
write("first.json", [first])
write("others.json", others)
write("part.json", [{**first, "rounds": first["rounds"][:4]}] + others)
END
for what in slow wrong any; do
    must_fail 2 'nothing of A and B was judged: no case is measured on both' \
        compare unsupported.json unsupported.json --fail-on $what
    must_fail 2 'nothing of A and B was judged: no case is measured on both' \
        compare nothing.json a.json --fail-on $what # all are NEW
    must_fail 1 '11 cases, the first is' compare others.json first.json --fail-on $what
    must_pass compare a.json a.json --fail-on $what
    [ ! -s stderr ] || fail 'something is on stderr'
done
must_pass compare a.json part.json --fail-on slow
grep -q '1 of 12 cases of A and B were not judged: fewer than 5 rounds' stderr || fail 'not told'
results --devices 2 --cases 12 >two.json
python3 - two.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
d["devices"] = d["devices"][:1]
d["results"] = [r for r in d["results"] if r["device"] == 0]
json.dump(d, open("half-gone.json", "w"))
END
case_name='a device is gone' cases=$((cases + 1)) code=0
"$clnorm" compare two.json half-gone.json --fail-on slow >stdout 2>stderr || code=$?
[ $code -eq 1 ] || fail "exit code $code, must be 1"
grep -q '1 device of the first file is not in the second one' stderr || fail 'not told'
must_pass compare half-gone.json two.json --fail-on slow

# ---- what must not be mixed ----
python3 - a.json warm.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for r in d["results"]:
    r["cache"], r["case"] = "warm", r["case"].replace(" cold", " warm")
json.dump(d, open(sys.argv[2], "w"))
END
must_fail 2 "cold': its data are in the cache on one side and not on the other" compare a.json warm.json
must_pass compare a.json warm.json --force
must_say "cache differs: 'cold' and 'warm'"
must_say ' 12 SAME'
vary a.json model.json --set settings.traffic_model=2
must_fail 2 'A counts bytes by traffic model 1, and B by 2' compare a.json model.json
must_fail 2 'model.json counts bytes by another traffic model than a.json' \
    compare --merge a.json model.json
must_pass compare a.json model.json --force
must_fail 2 'A counts bytes by traffic model 1, and B by 2' compare a.json model.json --matrix

# ---- how it came about ----
must_pass compare a.json slow.json --explain "$big"
must_say "Welch's test on the logarithms"
must_say 'SLOW: p is below 0.01, and the effect is 5 % or more'
must_say '--fail-on: the interval of 99 % lies wholly beyond 5 %: SLOW'
[ "$(grep -c ' 7 rounds$' stdout)" -eq 2 ] || fail 'not the rounds of two sides'
dots=$(sed -n 's/^  [AB] *|\(.*\)| 7 rounds$/\1/p' stdout | tr -d ' \n' | sed 's/\./1 /g; s/[2-9]/& /g')
sum=0
for dot in $dots; do sum=$((sum + dot)); done
[ $sum -eq 14 ] || fail "$sum dots of 14 rounds"
must_pass compare a.json few.json --explain "$small"
must_say 'UNSURE: nothing is said of less than 5 rounds a side'

# ---- rows whose least effect is another one ----
vary slow.json ways.json --noise 0 --set 'results.0.copy_variant="non-temporal 1024"' \
    --set 'results.11.copy_variant=null'
first='layer_norm f32 forward 4096x768 cold'
bound=$(python3 -c 'import json
print(next(r["case"] for r in json.load(open("a.json"))["results"] if r["launch_bound"]))')
must_pass compare a.json ways.json
grep -F "$first " stdout | grep -q ') *[A-Z]* c ' || fail 'the row is not marked'
grep -F "$bound " stdout | grep -q ') *[A-Z]* l ' || fail 'the row that is launch bound is not marked'
grep -F "$big " stdout | grep -qE '\) +[A-Z]+ [lc]+ ' && fail 'a row is marked without a reason'
must_say 'c: the copies beside the two went ways that differ, so that 25 % is the least effect.'
must_say 'l: it takes less than three empty kernels, so that 25 % is the least effect.'
must_pass compare a.json ways.json --format markdown
must_say ' c |'
must_say 'c: the copies beside'
must_pass compare a.json ways.json --explain "$first"
must_say "25 % is the least effect: the copy beside A is 'plain 16', beside B 'non-temporal 1024'"
must_not_say 'empty kernels'
must_pass compare a.json ways.json --explain "$bound"
must_say '25 % is the least effect: the case takes less than three empty kernels on A and B'
must_pass compare a.json ways.json --format csv -o ways.csv
must_pass compare a.json ways.json --json -o pairs.json
case_name='margins in CSV and JSON' cases=$((cases + 1))
python3 - >stderr 2>&1 <<'END' || fail 'see below'
import csv, json
rows = list(csv.DictReader(open("ways.csv", newline="")))
cases = json.load(open("pairs.json"))["pairs"][0]["cases"]
a, b = (json.load(open(name))["results"] for name in ("a.json", "ways.json"))
seen = set()
for row, case, of_a, of_b in zip(rows, cases, a, b):
    rough = ["launch_bound"] * (of_a["launch_bound"] or of_b["launch_bound"])
    rough += ["copy_variant"] * (of_a["copy_variant"] != of_b["copy_variant"])
    seen |= set(rough)
    assert case["rough"] == rough == row["rough"].split(), (case, row)
    assert case["margin"] == float(row["margin"]) == (0.25 if rough else 0.05), (case, row)
    assert case["a"]["copy_variant"] == row["a_copy_variant"] == of_a["copy_variant"], (case, row)
    assert case["b"]["copy_variant"] == (row["b_copy_variant"] or None) == of_b["copy_variant"], (case, row)
    assert case["b"]["launch_bound"] == of_b["launch_bound"], case
assert len(seen) == 2 and len(rows) == 12, seen
END
for more in --by=time --threshold=25; do
    must_pass compare a.json ways.json $more
    must_not_say 'c: the copies'
done

# ---- every way in ----
python3 - a.json b.json <<'END'
import json, sys
a, b = (json.load(open(name)) for name in sys.argv[1:])
def page(files, name):
    data = json.dumps({"files": files}).replace("<", "\\u003c")
    with open(name, "w") as out:
        out.write('<!DOCTYPE html>\n<!-- <script type="application/json" id="clnorm-data">{}</script> -->\n'
                  '<script>const s = "<script id=\\"clnorm-data\\">";</script>\n<h1>&lt;script></h1>\n'
                  f'<script type="application/json" id="clnorm-data">{data}</script>\n</html>\n')
b["title"] = "</script><b>"
b["devices"][0]["name"] = "<script> & \"co\""
page([{"name": "x/a.json", "data": a}, {"name": "b.json", "data": b}], "two.html")
page([{"name": "b.json", "data": b}], "one.html")
with open("lines.jsonl", "w") as out:
    for r in b["results"]:
        line = {key: b[key] for key in ("schema", "created", "host", "tool")}
        out.write(json.dumps({**line, **r, "device": b["devices"][r["device"]]}) + "\n")
END
must_pass compare a.json b.json --format csv
sed 's/^A,B,//' stdout >expected.csv
must_pass compare two.html --format csv
sed 's/^A,B,//' stdout | cmp - expected.csv || fail 'the page gives other values than its files'
must_pass compare a.json one.html
must_say "B: one.html: <script> & \"co\" (Example Runtime, driver 3.0.1)"
must_pass compare a.json lines.jsonl --format csv
sed 's/^A,B,//' stdout | cmp - expected.csv || fail 'JSONL gives other values'
case_name='standard input' cases=$((cases + 1))
"$clnorm" compare a.json - --format csv <lines.jsonl >stdout 2>stderr || fail "exit code $?"
sed 's/^A,B,//' stdout | cmp - expected.csv || fail 'standard input gives other values'
{ printf '\357\273\277' && cat b.json; } >mark.json
must_pass compare a.json mark.json --format csv
head -c -5000 lines.jsonl >cut.jsonl
must_pass compare a.json cut.jsonl
grep -q 'cut.jsonl: line 11 was cut short, and is left out' stderr || fail 'the cut is not told'
must_say ', not complete'
{ head -n 3 lines.jsonl && echo '{"case": "x"}' && tail -n 3 lines.jsonl; } >odd.jsonl
must_fail 2 'odd.jsonl: line 4: must be a result with its case, and its device' compare a.json odd.jsonl
{ head -n 3 lines.jsonl && echo '{"case": ' && tail -n 3 lines.jsonl; } >odd.jsonl
must_fail 2 'odd.jsonl: line 4, column ' compare a.json odd.jsonl
echo '<html><script>var x;</script></html>' >none.html
must_fail 2 'none.html: has no data of clnorm report' compare a.json none.html
echo '<script type="application/json" id="clnorm-data">{"files": [{"name": 1}]}</script>' >bad.html
must_fail 2 'bad.html: its data are not those of clnorm report' compare a.json bad.html
printf '<p>\n<script id="clnorm-data">{"files": [}</script>' >bad.html
must_fail 2 'bad.html: line 2, column ' compare a.json bad.html

# ---- many devices ----
results --devices 4 --cases 12 >four.json
must_pass compare four.json
must_say 'speed beside A:0'
must_pass compare four.json --pair A:0=A:2
must_say 'A:2/A:0 (95 %)'
vary four.json four-b.json --slower "$big=1.5"
must_pass compare four.json four-b.json
[ "$(grep -c "$big .* SLOW " stdout)" -eq 3 ] || fail 'not SLOW on the three devices that have f64'
results --devices 1 --first 4 --cases 12 >fifth.json
must_pass compare four.json fifth.json
must_say 'speed beside A:0'
must_fail 2 'these files make a matrix, which has no verdicts' compare four.json fifth.json --fail-on slow

# ---- formats ----
for format in json csv markdown table; do
    must_pass compare a.json slow.json --format $format
    cp stdout pair.$format
    must_pass compare four.json --format $format
    cp stdout matrix.$format
    must_pass compare four.json --by of_copy --format $format
    cp stdout shares.$format
done
must_pass compare a.json slow.json --json
cmp stdout pair.json || fail '--json is not --format json'
for ending in json:json csv:csv md:markdown txt:table; do
    must_pass compare a.json slow.json -o "out.${ending%%:*}"
    [ ! -s stdout ] || fail 'something on stdout, too'
    cmp "out.${ending%%:*}" "pair.${ending#*:}" || fail "out.${ending%%:*} is another format"
done
case_name='formats read back' cases=$((cases + 1))
python3 "$here/compare_formats.py" a.json slow.json four.json >stderr 2>&1 || fail 'see below'

# ---- merge ----
must_pass compare --merge four.json fifth.json -o five.json
must_pass compare --validate five.json
must_say 'five.json: ok, 60 results of 5 devices'
must_pass compare --merge four-b.json four.json
grep -q "four.json: '$big' of device 0 takes the place of an earlier result" stderr ||
    fail 'what is replaced is not told'
cp stdout again.json
must_pass compare again.json four.json --fail-on any
[ "$(grep -c 'is 1.00x (1.00-1.00) as fast' stdout)" -eq 4 ] || fail 'the later file did not win'
python3 - <<'END' || fail 'a merged file is not what it was made of'
import json, sys
# 15 digits are kept
five, four, fifth = (json.load(open(n), parse_float=lambda text: f"{float(text):.15g}")
                     for n in ("five.json", "four.json", "fifth.json"))
assert five["merged"] == ["four.json", "fifth.json"], five["merged"]
assert five["devices"] == four["devices"] + fifth["devices"], "devices"
assert five["results"] == four["results"] + [{**r, "device": 4} for r in fifth["results"]], "results"
END
must_fail 2 'none/x.json: cannot be written' compare --merge four.json fifth.json -o none/x.json

# what is true of a run stays with its results
case_name='merges of variations' cases=$((cases + 1))
python3 "$here/compare_merge.py" "$clnorm" "$fixtures" >stderr 2>&1 || fail 'see below'
vary a.json launches.json --empty 20 --drop "$big" --set 'tool.commit="fedcba987654"' \
    --set 'created="2026-11-23T00:00:00Z"' --set 'devices.0.driver_version="9.0"'
must_pass compare --merge a.json launches.json -o runs.json
grep -q "launches.json: device 'Example CPU 16' has driver '9.0', and '3.0.1' in a file before it" \
    stderr || fail 'another driver is not told'
must_pass compare --validate runs.json
must_say 'runs.json: ok, 12 results of 1 devices'
must_pass compare a.json runs.json
must_say "commit differs: '0123456789ab' and '0123456789ab and fedcba987654'"
must_say 'B: runs.json: Example CPU 16 (Example Runtime, driver 3.0.1 and 9.0), 2026-11-22T07:06:19Z and 2026-11-23T00:00:00Z'
vary runs.json bad.json --set results.0.run=1
must_fail 2 'bad.json: results[0].run: is 1; must be a place in runs of its device, which has 1' \
    compare a.json bad.json
vary runs.json bad.json --set 'devices.0.runs.0.driver_version=null'
must_fail 2 'bad.json: devices[0].runs[0].driver_version: is null; must be a text' compare a.json bad.json
must_pass compare --merge runs.json a.json
cmp -s stdout runs.json && fail 'nothing was replaced'
grep -q '"runs": ' stdout && fail 'a run without results is still there'
vary a.json model.json --set settings.traffic_model=2 --drop "$big"
must_pass compare --merge a.json model.json --force -o models.json
must_fail 2 'A counts bytes by traffic model 1, and B by 2' compare a.json models.json
must_fail 2 'models.json counts bytes by another traffic model than a.json' \
    compare --merge a.json models.json

# a device of the same id on another machine is another one; after an update of the system it is not
vary a.json server.json --set 'host.cpu="Other CPU 64"' --set host.cpus=64
vary a.json updated.json --set 'host.kernel="6.2.0"' --set 'host.os="Example Linux 13"' \
    --set host.mem_bytes=68710000000 --set host.load=1.5
must_pass compare --merge a.json server.json -o both.json
must_pass compare --validate both.json
must_say 'both.json: ok, 24 results of 2 devices'
must_pass compare --merge both.json updated.json
[ "$(grep -c 'updated.json: .* of device 0 takes the place of an earlier result' stderr)" -eq 12 ] ||
    fail 'not the same machine'
for change in 'host.cpu="X"' host.cpus=1 'host.arch="aarch64"' host.mem_bytes=34359738368; do
    vary a.json server.json --set "$change"
    must_pass compare --merge a.json server.json -o other.json
    must_pass compare --validate other.json
    must_say 'other.json: ok, 24 results of 2 devices'
done
must_pass compare both.json --matrix
must_say 'A:0: both.json: Example CPU 16 (Example Runtime, driver 3.0.1) on Example CPU 16, 16 processors, x86_64, 64 GiB'
must_say 'A:1: both.json: Example CPU 16 (Example Runtime, driver 3.0.1) on Other CPU 64, 64 processors, x86_64, 64 GiB'
must_pass compare both.json --matrix --json
grep -q '"host": "Other CPU 64, 64 processors, x86_64, 64 GiB"' stdout || fail 'no host in JSON'
must_pass compare four.json --matrix
must_not_say ' processors'
# of two files, each machine is put beside itself, and beside another one where there is none
python3 - both.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
d["devices"].reverse()
for r in d["results"]:
    r["device"] = 1 - r["device"]
json.dump(d, open("reversed.json", "w"))
END
must_pass compare both.json reversed.json
must_say 'B:1/A:0 (95 %)'
must_say 'B:0/A:1 (95 %)'
must_not_say 'differs'
must_pass compare both.json a.json
must_say 'B/A:0 (95 %)'
must_not_say 'B/A:1'
vary four.json elsewhere.json --set 'host.cpu="Other CPU 64"'
must_pass compare four.json elsewhere.json
[ "$(grep -c "machine differs: 'Example CPU 16, .*' and 'Other CPU 64, 16 processors, x86_64, 64 GiB'" stdout)" -eq 4 ] ||
    fail 'not four pairs'
# JSON lines of two machines in one file
python3 - a.json both.json <<'END'
import json, sys
with open("two.jsonl", "w") as out:
    for host in ("Example CPU 16", "Other CPU 64"):
        d = json.load(open(sys.argv[1]))
        d["host"]["cpu"] = host
        for r in d["results"]:
            line = {key: d[key] for key in ("schema", "created", "host", "tool")}
            out.write(json.dumps({**line, **r, "device": d["devices"][r["device"]]}) + "\n")
END
must_pass compare two.jsonl --matrix
must_say 'on Other CPU 64, 16 processors'

# ---- an output that is one of the inputs ----
ln -s a.json link.json
cp a.json kept.json
for name in a.json ./a.json link.json "$PWD/a.json"; do
    must_fail 2 "$name: is the same file as the input a.json; must be another one" \
        compare a.json b.json -o "$name"
    cmp a.json kept.json || fail 'the input was changed'
done
case_name='standard input' cases=$((cases + 1)) code=0
# shellcheck disable=SC2094 # which is refused
"$clnorm" compare b.json - -o a.json <a.json >stdout 2>stderr || code=$?
[ $code -eq 2 ] || fail "exit code $code, must be 2"
cmp a.json kept.json || fail 'the input was changed'
# the whole may take the place of one of its parts
cp four.json all.json
must_pass compare --merge all.json fifth.json -o all.json
must_pass compare --validate all.json
must_say 'all.json: ok, 60 results of 5 devices'
finish
