#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh NAME FILE: a file as a C array `const char NAME[]` that ends with 0, on stdout.
set -eu
echo "/* Generated from $(basename "$2"): edit that. */"
echo "extern const char $1[];"
echo "const char $1[] = {"
od -An -v -tu1 "$2" | sed 's/  *\([0-9][0-9]*\)/ \1,/g'
echo " 0};"
