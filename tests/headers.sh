#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/headers.sh INCLUDE_DIR CC CXX: each public header compiles alone, in every language that it
# is for, with and without OpenCL, without a warning.
set -eu
include=$1 cc=$2 cxx=$3
failed=0

# compile COMPILER LANGUAGE STANDARD HEADER
compile() {
    for define in -DCLNORM_TEST -DCLNORM_NO_OPENCL; do
        if ! echo "#include <clnorm/$4>" | "$1" -x "$2" "-std=$3" -Wall -Wextra -Wpedantic \
            -Werror $define -I "$include" -fsyntax-only -; then
            echo "clnorm/$4 does not compile as $3 with $define"
            failed=1
        fi
    done
}

for standard in c99 c11; do compile "$cc" c $standard clnorm.h; done
for standard in c++11 c++17; do
    compile "$cxx" c++ $standard clnorm.h
    compile "$cxx" c++ $standard clnorm.hpp
done
exit $failed
