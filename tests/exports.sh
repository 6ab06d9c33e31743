#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/exports.sh INCLUDE_DIR SHARED STATIC: what the two libraries show, what they never call, and
# that they neither keep state nor run before main.
set -euo pipefail
include=$1 shared=$2 static=$3
failed=0
wrong() {
    echo "$*"
    failed=1
}
defined() { nm -g --defined-only "$@" | awk 'NF == 3 {print $3}' | sort -u; }

declared=$(cat "$include"/clnorm/*.h | tr '\n' ' ' | grep -oE 'CLNORM_API[^;(]*\(' |
    grep -oE 'clnorm_[a-z0-9_]+\(' | tr -d '(' | sort -u)
exported=$(defined -D "$shared")
difference=$(diff <(echo "$declared") <(echo "$exported") || true)
[ -z "$difference" ] ||
    wrong "declared in the header (<) and exported by the shared library (>) differ:" "$difference"

foreign=$(defined "$static" | grep -v '^clnorm_' || true)
[ -z "$foreign" ] || wrong "the static library shows symbols without clnorm_:" "$foreign"

# A library neither prints, nor ends the process, nor changes what belongs to all of it.
forbidden='printf|vprintf|puts|putchar|fprintf|vfprintf|fputs|fwrite|perror|stdout|stderr'
forbidden+='|__(v|f|vf)?printf_chk|exit|_exit|abort|atexit|__assert_fail|setlocale|setenv|signal'
called=$(nm -g --undefined-only "$static" | awk '$1 == "U" {print $2}' |
    grep -xE "$forbidden" | sort -u || true)
[ -z "$called" ] || wrong "the library must not use:" "$called"

constructors=$(objdump -h "$static" |
    grep -oE ' \.((pre)?init_array|fini_array|ctors|dtors)[^ ]*' | sort -u || true)
[ -z "$constructors" ] || wrong "the library must not run outside of its calls:" "$constructors"

# Symbols in sections that stay writable: nm shows constants with pointers, which do not, alike. A
# section's own symbol has its name. The lock guards drivers that cannot build in two threads.
writable=$(objdump -t "$static" |
    sed -nE 's/^[0-9a-f]+ .{7} ([^ ]+)\t[0-9a-f]+ +(\.hidden )?([^ ]+)$/\1 \3/p' |
    grep -E '^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)' | grep -v '^\.data\.rel\.ro' |
    awk '$1 != $2 && $2 != "build_lock" {print $2}' || true)
[ -z "$writable" ] || wrong "the library must have no writable globals:" "$writable"
exit $failed
