#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/layer/report.sh COMMAND LAYER: what the layer's report says of the command, and that the
# command notices results that are not right.
set -eu
clnorm=$(realpath "$1")
layer=$(realpath "$2")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/../cli/npy.sh"

export OPENCL_LAYERS="$layer" CLNORM_LAYER_REPORT=report

# reported LINE: the process before wrote a report, and it has such a line.
reported() {
    if ! grep -Eqx "$1" report; then
        fail "no line '$1' in the layer's report:" "$(cat report 2>&1)"
    fi
    rm -f report
}

npy x.npy "'<f4'" False '(6, 32)' 768
must_pass run x.npy -o out.npy --verify
reported 'falsified 0'
rm -f out.npy

export CLNORM_LAYER_FALSIFY=forward_norm
must_fail 1 'wrong result: 192 of 192 values from' run x.npy -o out.npy --verify
reported 'falsified [1-9][0-9]*'
export CLNORM_LAYER_FALSIFY='forward_norm:-DNO_SUCH_OPTION'
must_pass run x.npy -o out.npy --verify
reported 'clEnqueueNDRangeKernel [1-9][0-9]*'

finish
