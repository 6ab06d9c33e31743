# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the tests of the command: files to work on, and what a run must and must not do.
# Needs $clnorm, the command.
: "${clnorm:?}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
cd "$scratch" || exit
failures=0
cases=0

# data BYTES: numbers of moderate size, whether they are read as f32, f16, f64, bf16 or uint8: as
# f32 they are 0.63, 2.8, 0.76, 0.70, 12, 0.63.
data() { yes 'ab!?cd1@xyA?zw3?klAAmn"?' 2>/dev/null | tr -d '\n' | head -c "$1"; }

# npy NAME DESCR FORTRAN_ORDER SHAPE BYTES: a .npy file with so many bytes of data. The header is
# 128 bytes: 10, 117 of text, a newline.
npy() {
    {
        printf '\223NUMPY\001\000v\000%-117s\n' \
            "{'descr': $2, 'fortran_order': $3, 'shape': $4, }"
        data "$5"
    } >"$1"
}

fail() {
    echo "FAIL: $case_name: $1"
    sed 's/^/    /' stderr
    failures=$((failures + 1))
}

# Runs the command, and compares its exit code. The text of a failure is one line on stderr that
# begins with "clnorm: " and has TEXT in it; neither output nor temporary file is left.
# must_fail CODE TEXT ARGUMENT...
must_fail() {
    want=$1 text=$2
    shift 2
    case_name="clnorm $*"
    cases=$((cases + 1))
    code=0
    "$clnorm" "$@" >stdout 2>stderr </dev/null || code=$?
    [ "$code" -eq "$want" ] || fail "exit code $code, must be $want"
    [ "$(wc -l <stderr)" -eq 1 ] || fail "$(wc -l <stderr) lines on stderr, must be 1"
    grep -q '^clnorm: ' stderr || fail "stderr does not begin with 'clnorm: '"
    grep -qF -e "$text" stderr || fail "stderr has no '$text' in it"
    no_leftovers
}

no_leftovers() {
    for left in out.npy mean.npy rstd.npy .clnorm-*; do
        if [ -e "$left" ]; then
            fail "left $left behind"
            rm -f "$left"
        fi
    done
}

# must_pass ARGUMENT...
must_pass() {
    case_name="clnorm $*"
    cases=$((cases + 1))
    "$clnorm" "$@" >stdout 2>stderr </dev/null || fail "exit code $?, must be 0"
}

finish() {
    echo "$cases cases, $failures failures"
    [ "$failures" -eq 0 ]
}
