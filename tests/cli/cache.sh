#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/cache.sh COMMAND LIBRARY: the second run compiles nothing, `clnorm cache` tells and
# removes what is kept, and no state of the directory is more than a line on stderr. LIBRARY is built
# from faulty_opencl.c.
set -eu
clnorm=$(realpath "$1")
library=$(realpath "$2")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"

export HOME="$scratch/home"
mkdir home
unset CLNORM_CACHE CLNORM_CACHE_DIR XDG_CACHE_HOME
cache=$HOME/.cache/clnorm
npy x.npy "'<f4'" False '(6, 32)' 768

# expect_programs N: that many entries are there, and `stat` says so.
expect_programs() {
    must_pass cache stat --json
    grep -q "\"programs\": $1,\$" stdout || fail "$(grep programs stdout) in stat, must be $1"
    [ "$(find "$cache" -type f | wc -l)" -eq "$1" ] ||
        fail "$(find "$cache" -type f | wc -l) files, must be $1"
}

# without_compiler ARGUMENT...: the command with a driver that takes no source. Its exit code is 0 if nothing
# had to be compiled.
without_compiler() {
    ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" LD_PRELOAD="$library" \
        CLNORM_TEST_FAULT=source "$clnorm" "$@" >stdout 2>stderr </dev/null
}

# ---- what is wrong with the command line ----
must_fail 2 'stat|clear is missing' cache
must_fail 2 "'list': must be stat or clear" cache list
must_fail 2 "unexpected argument 'all'" cache clear all
must_fail 2 'unknown option --jsn, did you mean --json' cache stat --jsn
export CLNORM_CACHE=maybe
must_fail 2 "CLNORM_CACHE is 'maybe': must be on or off" cache stat
must_fail 2 "CLNORM_CACHE is 'maybe': must be on or off" run x.npy -o out.npy
unset CLNORM_CACHE

# ---- cold, warm, off ----
must_pass cache stat
grep -qF "$cache: on, not made yet, 0 programs" stdout || fail 'stat says nothing of a cold cache'
[ ! -e "$cache" ] || fail "stat made $cache"
without_compiler run x.npy -o out.npy && fail 'a cold run needed no compiler'
must_pass run x.npy -o cold.npy
expect_programs 1
[ "$(stat -c %a "$cache")" = 700 ] || fail "$cache has mode $(stat -c %a "$cache")"
case_name='a warm run' cases=$((cases + 1))
without_compiler run x.npy -o warm.npy || fail 'it compiled'
cmp cold.npy warm.npy || fail 'its bits are others'
CLNORM_CACHE=off without_compiler run x.npy -o out.npy && fail 'off, and the cache was used'
rm -rf "$cache"
export CLNORM_CACHE=off
must_pass run x.npy -o warm.npy
[ ! -e "$cache" ] || fail 'off, and a directory was made'
export CLNORM_CACHE=on
must_pass check --shape 3x65 --dtype f32 --variant layer_norm --form sequential --direction forward
[ ! -e "$cache" ] || fail 'check uses a cache'
unset CLNORM_CACHE

# ---- stat, clear, doctor ----
must_pass run x.npy -o cold.npy
must_pass run x.npy -o cold.npy --op rms_norm
expect_programs 2
must_pass cache stat --no-color
grep -qF "$cache: on, 2 programs" stdout || fail 'stat does not say 2 programs'
grep -Eq '^ *(Intel|Portable|rusticl).* 2 +0\.[0-9]+ *$' stdout || fail 'stat has no line for the device'
must_pass devices --doctor
grep -qF "$cache  2 programs" stdout || fail 'the doctor does not know the cache'
echo mine >"$cache/notes"
must_pass cache clear
grep -qF "$cache: removed 2 programs" stdout || fail 'clear does not say 2 programs'
[ "$(ls -A "$cache")" = notes ] || fail "clear left $(ls -A "$cache"), must be what is not its own"
rm "$cache/notes"
must_pass cache clear --json
grep -q '"programs": 0' stdout || fail 'the second time it removed something'

# ---- damage, no room, no right ----
must_pass run x.npy -o cold.npy
for file in "$cache"/*; do truncate -s -1 "$file"; done
must_pass cache stat
grep -q '^1 damaged' stdout || fail 'stat does not see the damage'
must_pass run x.npy -o warm.npy
grep -q 'is compiled anew: it has another length' stderr || fail 'no line about the damage'
cmp cold.npy warm.npy || fail 'its bits are others'
expect_programs 1
must_pass run x.npy -o warm.npy
! grep -q 'compiled anew' stderr || fail 'the damaged entry is still there'
must_pass cache clear
case_name='no room' cases=$((cases + 1))
(ulimit -f 8 && "$clnorm" run x.npy -o warm.npy >stdout 2>stderr) || fail "exit code $?"
[ "$(grep -c 'programs are not kept: ' stderr)" -eq 1 ] || fail 'not one line that says so'
expect_programs 0
chmod g+w "$cache"
must_pass run x.npy -o warm.npy
must_fail 2 'must belong to user' cache stat
must_pass devices --doctor
grep -q 'BAD.*must belong to user' stdout || fail 'the doctor does not see that'
export CLNORM_CACHE_DIR="$cache"
must_pass run x.npy -o warm.npy
grep -q 'programs are not kept: .*must belong to user' stderr || fail 'the directory was asked for'
export CLNORM_CACHE_DIR="$scratch/own"
must_pass run x.npy -o warm.npy
[ "$(find own -type f | wc -l)" -eq 1 ] || fail 'CLNORM_CACHE_DIR is not used'
unset CLNORM_CACHE_DIR HOME
must_pass run x.npy -o warm.npy
must_fail 2 'neither XDG_CACHE_HOME nor HOME' cache stat

finish
