#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/version.sh VERSION HEADER CHANGELOG: meson.build, clnorm.h and the change log must agree.
set -eu
number() { sed -n "s/^#define CLNORM_VERSION_$1 \([0-9]*\)$/\1/p" "$header"; }
header=$2
in_header=$(number MAJOR).$(number MINOR).$(number PATCH)
newest=$(sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' "$3" | head -n 1)
echo "meson.build $1, clnorm.h $in_header, change log $newest"
[ "$1" = "$in_header" ] && [ "$1" = "$newest" ]
