#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/on-device.sh [--fresh-cache] NAME PROGRAM [ARGUMENT]...: runs a program on one of the
# implementations that ci/devices put together. Exit code 77 (skipped) says why on stdout;
# with CLNORM_TEST_ALL=1 a missing implementation is a failure, unless this machine cannot have it.
# With Oclgrind, its log must exist and be empty: it exits with 0 whatever it finds.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
devices=${CLNORM_DEVICES_DIR:-$root/build/devices}

missing=$((${CLNORM_TEST_ALL:-0} ? 1 : 77))
fresh_cache=no
if [ "$1" = --fresh-cache ]; then
    fresh_cache=yes
    shift
fi
name=$1
shift

if [ -e "$devices/env/$name.skip" ]; then
    cat "$devices/env/$name.skip"
    exit 77
fi
if [ ! -e "$devices/env/$name" ]; then
    echo "$name is not in $devices: run ci/devices first"
    exit $missing
fi
# shellcheck source=/dev/null
. "$devices/env/$name"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ $fresh_cache = yes ]; then
    mkdir "$scratch/cache"
    export POCL_CACHE_DIR="$scratch/cache" MESA_SHADER_CACHE_DIR="$scratch/cache"
fi
export OCLGRIND_LOG="$scratch/oclgrind.log" CLNORM_TEST_DEVICE="$name"
# not the user's, and the many runs of a script need not compile the same again
export CLNORM_CACHE_DIR="$scratch/programs"
export CLNORM_TUNE_FILE="$scratch/tuning"
unset CLNORM_DEVICE CLNORM_CACHE CLNORM_TUNE

code=0
"$@" || code=$?
if [ "$name" = oclgrind ] && [ $code -ne 77 ]; then
    if [ ! -e "$OCLGRIND_LOG" ]; then
        echo "Oclgrind was not loaded: it left no log"
        code=1
    elif [ -s "$OCLGRIND_LOG" ]; then
        echo "Oclgrind's log, which must be empty:"
        cat "$OCLGRIND_LOG"
        code=1
    fi
fi
[ $code -ne 77 ] || code=$missing
exit $code
