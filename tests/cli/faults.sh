#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/faults.sh COMMAND LIBRARY: with a driver that is wrong or fails, the exit code says so
# and no output is left. LIBRARY is built from faulty_opencl.c.
set -eu
clnorm=$(realpath "$1")
library=$(realpath "$2")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"

# what fails here is the compiler
export CLNORM_CACHE=off
npy x.npy "'<f4'" False '(6, 32)' 768
# the sanitizers want to be first, and need not be
export ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" LD_PRELOAD="$library"

# ---- the library alone changes nothing ----
must_pass run x.npy -o out.npy --verify
[ -e out.npy ] || fail 'no out.npy'
rm -f out.npy

# ---- kernels that do nothing ----
export CLNORM_TEST_FAULT=lazy
must_fail 1 'wrong result: 192 of 192 values from' run x.npy -o out.npy --verify
must_fail 1 'the worst is y[' run x.npy --verify
grep -q 'FAIL$' stdout || fail 'the table has no FAIL'
grep -q 'GB/s' stdout || fail 'the table has no title'
grep -Eq '[0-9] (s|ms|us) ' stdout && fail 'a time is shown for a wrong result'
must_fail 1 'wrong result' run x.npy --verify --json
grep -q '"verdict": "failed"' stdout || fail 'the JSON does not say failed'
grep -q '"seconds"' stdout && fail 'a time is shown for a wrong result'
npy nan.npy "'<f4'" False '(6, 32)' 0
head -c 768 /dev/zero | tr '\0' '\377' >>nan.npy
must_fail 1 ', must be NaN' run nan.npy -o out.npy --verify
echo old >kept.npy
must_fail 1 'wrong result' run x.npy -o kept.npy --verify
[ "$(cat kept.npy)" = old ] || fail 'the old output is gone'

# ---- a device that does nothing, after one that was right on the same rows ----
export CLNORM_TEST_FAULT='lazy basic' POCL_DEVICES='pthread basic'
if [ "$("$clnorm" devices --json | grep -c '"usable": true')" -eq 2 ]; then
    must_fail 1 'wrong result: 192 of 192 values from' run x.npy --verify --device all
    grep -q 'PASS$' stdout || fail 'the first device did not pass'
    grep -q 'FAIL$' stdout || fail 'the second device took what the first had left'
fi
unset POCL_DEVICES

# ---- failures of OpenCL ----
for fault in build:CL_BUILD_PROGRAM_FAILURE memory:CL_MEM_OBJECT_ALLOCATION_FAILURE; do
    export CLNORM_TEST_FAULT="${fault%:*}"
    must_fail 3 "${fault#*:}" run x.npy -o out.npy
    must_fail 3 "${fault#*:}" run x.npy --verify
done
export CLNORM_TEST_FAULT=build
must_fail 3 'see clnorm devices --doctor' run x.npy -o out.npy
export CLNORM_TEST_FAULT='build log'
for arguments in '-o out.npy' '--verify'; do
    # shellcheck disable=SC2086
    must_fail 3 'row_norm.cl:12:3: error: of the test; clBuildProgram failed' run x.npy $arguments
    grep -q -- '--doctor' stderr && fail 'the driver is blamed for a kernel'
done

finish
