#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/check.sh COMMAND LIBRARY: `check` counts what it found, in its table and in its JSON,
# and its exit code and that of `devices` say it too. LIBRARY is built from faulty_opencl.c.
# shellcheck disable=SC2086 # $one and $arguments are split
set -eu
one='--variant layer_norm --dtype f32 --shape 3x5 --form sequential' # kernels of other forms take long to build
clnorm=$(realpath "$1")
library=$(realpath "$2")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"

# counts FIELD: the last numbers of the table, "N passed, N failed, N skipped"
counts() { tail -n 1 stdout | sed -n "s/.*\\<\\([0-9][0-9]*\\) $1.*/\\1/p"; }

# json_counts FIELD: how often FIELD is counted in the results, then in the summary, which is last
json_counts() {
    sed -n "s/.*\"$1\": \\([0-9]*\\).*/\\1/p" stdout |
        awk '{ sum += last; last = $1 } END { print sum + 0, last }'
}

# check_json: the document in stdout is valid, and its summary is the sum over its results
check_json() {
    if command -v python3 >/dev/null; then
        python3 -m json.tool stdout >/dev/null || fail 'the JSON is not valid'
    fi
    sed '1,/"summary": {/d' stdout | grep -q '"cases"' && fail 'the summary is not last'
    for field in passed failed skipped; do
        pair=$(json_counts $field)
        [ "${pair% *}" = "${pair#* }" ] || fail "$field: the sum and the summary are $pair"
    done
}

# must_end CODE ARGUMENT...: an exit code, whatever is printed
must_end() {
    want=$1
    shift
    case_name="clnorm $* (fault ${CLNORM_TEST_FAULT-none})"
    cases=$((cases + 1))
    code=0
    "$clnorm" "$@" >stdout 2>stderr </dev/null || code=$?
    [ "$code" -eq "$want" ] || fail "exit code $code, must be $want"
}

# ---- a device that is right ----
must_pass check --variant layer_norm --dtype f32 --shape 3x5
tail -n 1 stdout | grep -Eqx '[1-9][0-9]* passed, 0 failed, [0-9]+ skipped' ||
    fail 'the last line does not count'
grep -q PASS stdout || fail 'no PASS'
grep -q FAIL stdout && fail 'a FAIL'
passed=$(counts passed)
must_pass check --variant layer_norm --dtype f32 --shape 3x5 --json
check_json
[ "$(json_counts passed)" = "$passed $passed" ] || fail "the table counted $passed passed"
must_pass check --shape 3x5 --op rms_norm --variant rms_norm --dtype f32 --form sequential \
    --direction forward --seed 2 --max-elements 15
grep -q layer_norm stdout && fail 'an operator that was not asked for'
grep -q backward stdout && fail 'a direction that was not asked for'
[ "$(counts passed)" -lt "$passed" ] || fail 'what is asked for narrows nothing'

must_pass check --variant rms_norm --dtype f32 --shape 3x5 --markdown
grep -q '^| rms_norm | f32 | backward | [1-9][0-9]* | 0 | .* | PASS |$' stdout ||
    fail 'no line of a Markdown table'
must_pass check --variant group_norm/nhwc --direction forward --dtype mixed --shape 4x12
grep -q 'group_norm/nhwc *mixed *forward' stdout || fail 'no line of the variant'

# ---- recurrent nets ----
net='--variant rnn+plain --shape 3x5 --form sequential --direction forward'
nets=yes
case_name='a recurrent net' cases=$((cases + 1))
"$clnorm" check $net --json >stdout 2>stderr || nets=no
check_json
grep -q '"op": "rnn"' stdout || fail 'no operator'
if [ $nets = no ]; then
    grep -q 'CLBlast' stdout || fail 'neither a net nor a reason'
    [ "$(json_counts skipped)" = '1 1' ] || fail 'it is not skipped'
else
    [ "$(json_counts passed)" = '1 1' ] || fail 'it did not pass'
fi
must_pass check --op norms --shape 3x5 --dtype f32 --form sequential --variant rms_norm
must_fail 2 'no case is left' check --op norms --variant lstm
must_fail 2 'no case is left' check --op lstm --variant gru+plain
must_fail 2 'no case is left' check --op lstm --dtype f16
must_fail 2 'no case is left' check --op gru --form held
must_fail 2 'no case has a shape that fits' check --op gru --shape 3x1000000
must_fail 2 'no case has a shape that fits' check --op gru --shape 99x99 --max-elements 9801

# page VERDICT: how often the page has it, in its data
page() { grep -o "\"verdict\":\"$1\"" check.html | wc -l; }
must_pass check $one --html check.html
tail -n 1 stdout | grep -q ' passed, 0 failed' || fail 'a page in place of the table'
[ "$(page PASS)" -eq 2 ] || fail "the page has $(page PASS) lines that passed, must be 2"
[ "$(page FAIL)" -eq 0 ] || fail 'the page has a failure'

# ---- a device that is wrong, or fails ----
# the sanitizers want to be first, and need not be
export ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0"
for case in 1:lazy 3:build 3:memory; do
    export LD_PRELOAD="$library" CLNORM_TEST_FAULT="${case#*:}"
    must_end "${case%:*}" check $one
    grep -q 'FAIL$' stdout || fail 'no line with FAIL'
    grep -q PASS stdout && fail 'a PASS'
    failed=$(counts failed)
    [ "$failed" -gt 0 ] || fail 'no failure is counted'
    must_end "${case%:*}" check $one --json --html check.html
    unset LD_PRELOAD CLNORM_TEST_FAULT
    check_json
    [ "$(json_counts failed)" = "$failed $failed" ] || fail "the table counted $failed failed"
    [ "$(page PASS)" -eq 0 ] || fail 'the page has what passed'
    [ "$(page FAIL)" -gt 0 ] || fail 'the page has no failure'
done
if [ $nets = yes ]; then
    export LD_PRELOAD="$library" CLNORM_TEST_FAULT=lazy
    must_end 1 check $net
    unset LD_PRELOAD CLNORM_TEST_FAULT
    grep -q 'failed, first rnn+plain f32 forward, 3 steps of 3x5 to 5, sequential: y\[.*\] is ' stdout ||
        fail 'no element of the net'
fi

# ---- the self-test: Ctrl-C ends it between two kernels, and those before are reported ----
case_name='an interrupted self-test' cases=$((cases + 1))
"$clnorm" check --self-test --json >stdout 2>stderr </dev/null &
child=$!
sleep 3 # of half a minute
kill -TERM $child
code=0
wait $child || code=$?
[ $code -eq 130 ] || fail "exit code $code, must be 130"
kernels=$(grep -c '"kernel": ' stdout || true)
[ "$kernels" -lt 16 ] || fail "$kernels kernels were tested, as if nothing had come"
[ "$(grep -c '"subgroups": [0-9]' stdout || true)" -eq "$kernels" ] || fail 'no sub-groups'
[ ! -s stderr ] || fail 'an interrupted kernel is complained of'

# ---- the command line ----
for shape in 3 x5 5x0 ' 3x5' 3x-5 99999999x99999999 99999999999999999999999x5; do
    must_fail 2 "--shape '$shape': must " check --shape "$shape"
done
must_fail 2 "--shape '4x5': must have at most 19 elements" check --shape 4x5 --max-elements 19
must_fail 2 "--max-elements '0': must be at least 1" check --max-elements 0
must_fail 2 "--max-elements 'many': must be a whole number from 0 to 18446744073709551615" \
    check --max-elements many
must_fail 2 "--seed '-1': must be a whole number from 0 to 18446744073709551615" check --seed -1
must_fail 2 "--op 'foo': must be all|norms|layer_norm|rms_norm|group_norm|" check --op foo
must_fail 2 "--direction 'up': must be all|forward|backward" check --direction up
must_fail 2 "--variant 'foo': must be one of layer_norm, rms_norm, " check --variant foo
must_fail 2 "--variant 'mvn+foo': must be one of mvn, " check --variant mvn+foo
grep -q layer_norm stderr && fail 'names that begin otherwise'
must_fail 2 "--variant 'lstm+foo': must be one of lstm, lstm+norm_gates, lstm+plain" check --variant lstm+foo
must_fail 2 "--variant 'r': must be one of rms_norm, " check --variant r
must_fail 2 '--json and --markdown are given; allowed is one of them' check --json --markdown
must_fail 2 'no case is left; allowed are an --op, --variant' check --op mvn --variant layer_norm
must_fail 2 'no case is left in this --part' \
    check $one --part 1000/1000
must_fail 2 'no case has a shape that fits' \
    check --variant layer_norm+ddof --dtype f32 --shape 3x1
must_fail 2 "--dtype 'f8': must be all|f32|f16|bf16|f64|mixed" check --dtype f8
must_fail 2 "unexpected argument 'x.npy'" check x.npy
must_fail 2 'none/check.html: cannot be written: No such file' check --html none/check.html
must_fail 2 '--html and --self-test are given' check --self-test --html check.html
must_fail 2 'nonsense' check $one --device nonsense
must_fail 3 'name=nobody' check $one --device name=nobody

# ---- colours: on a terminal, unless they are not wanted ----
escape=$(printf '\033')
# has_color COMMAND: what it writes to a terminal has a colour in it
has_color() {
    case_name="on a terminal: $1"
    cases=$((cases + 1))
    env -u NO_COLOR TERM=xterm script -qec "$1" /dev/null >stdout 2>stderr </dev/null ||
        fail "exit code $?, must be 0"
    grep -q PASS stdout || fail 'no PASS'
    grep -qF "${escape}[32m" stdout
}
if command -v script >/dev/null; then
    has_color "'$clnorm' check $one" || fail 'no colours'
    has_color "'$clnorm' check $one --no-color" && fail 'colours'
    has_color "NO_COLOR=1 '$clnorm' check $one" && fail 'colours'
else
    echo 'no script(1): colours are not tested'
fi
must_pass check $one
grep -qF "$escape" stdout && fail 'colours, and no terminal'

# ---- devices ----
for arguments in '' --json --doctor '--doctor --json'; do
    must_pass devices $arguments
done
must_end 3 devices --device name=nobody
must_fail 2 'nonsense' devices --device nonsense

finish
