#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/readme.sh ROOT LIBRARY CC...: the C example of README.md compiles without a warning, runs, and
# prints what it must: both rows are the same but for the mean.
set -eu
root=$1
library=$2
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# shellcheck disable=SC2016 # back quotes of Markdown
# shellcheck disable=SC2016 # three backquotes, not a command
sed -n '/^```c$/,/^```$/{/^```/d;p}' "$root/README.md" >"$scratch/example.c"
"$@" -std=c99 -Wall -Wextra -Werror -I "$root/include" "$scratch/example.c" "$library" \
    -lOpenCL -lm -lpthread -o "$scratch/example"
"$scratch/example" >"$scratch/output"
cat "$scratch/output"
[ "$(sed -n 1p "$scratch/output")" = "-1.34164 1.34164" ]
[ "$(sed -n 2p "$scratch/output")" = "-1.34164 1.34164" ]
