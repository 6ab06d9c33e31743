#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/layering.sh SOURCE_ROOT BUILD_ROOT: who may know whom, checked in every #include and in
# every symbol that is linked.
set -euo pipefail
root=$1 build=$2
cd "$root"

declare -A may_use=(
    [base]="base"
    [reference]="reference base"
    [runtime]="runtime base"
    [ops]="ops runtime base"
    [check]="check ops runtime reference base"
    [cli]="cli check base"
)
layers="base reference runtime ops check"
failed=0
wrong() {
    echo "$*"
    failed=1
}

# ---- includes ----
while IFS=: read -r file _ line; do
    layer=${file#src/} layer=${layer%%/*}
    [[ $line =~ [\"\<]([^\"\>]*)[\"\>] ]]
    included=${BASH_REMATCH[1]}
    other=${included%%/*}
    case $included in
    clnorm/clnorm.h) ;;
    CL/* | OpenCL/*) [ "$file" = src/runtime/opencl.h ] || wrong "$file includes $included" ;;
    cl/kernels.h) [ "$layer" = runtime ] || wrong "$file includes $included" ;;
    popt.h | jansson.h | zlib.h) [ "$layer" = cli ] || wrong "$file includes $included" ;;
    clblast*) [[ $file = src/ops/gemm/clblast.c ]] || wrong "$file includes $included" ;;
    *)
        if [[ $line == *\"* && " ${may_use[$layer]} " != *" $other "* ]]; then
            wrong "$file includes $included: $layer may include ${may_use[$layer]}"
        fi
        ;;
    esac
done < <(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' src)

while IFS=: read -r file _; do
    [ "$file" = include/clnorm/clnorm.h ] || wrong "$file includes an OpenCL header"
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include *[<"](CL|OpenCL)/' include)

# ---- links ----
archive() { echo "$build/src/$1/libclnorm_$1.a"; }
defined() { nm -g --defined-only "$@" | awk 'NF == 3 {print $3}' | sort -u; }
needed() { nm -g --undefined-only "$@" | awk '$1 == "U" {print $2}' | sort -u; }

for layer in $layers; do
    allowed=()
    for other in ${may_use[$layer]}; do allowed+=("$(archive "$other")"); done
    [ "$layer" = runtime ] && allowed+=("$build/cl/libclnorm_kernels.a")
    strangers=$(comm -23 <(needed "$(archive "$layer")" | grep '^clnorm_' || true) \
        <(defined "${allowed[@]}"))
    [ -z "$strangers" ] || wrong "$layer needs what it may not know:" "$strangers"
done
for layer in base reference; do
    opencl=$(needed "$(archive "$layer")" | grep '^cl[A-Z]' || true)
    [ -z "$opencl" ] || wrong "$layer calls OpenCL:" "$opencl"
done

command=("$build"/src/cli/libclnorm_cli.a "$build"/src/cli/clnorm.p/*.o)
if [ -e "${command[0]}" ]; then
    public=$(cat include/clnorm/*.h | tr '\n' ' ' | grep -oE 'CLNORM_API[^;(]*\(' |
        grep -oE 'clnorm_[a-z0-9_]+\(' | tr -d '(' | sort -u)
    strangers=$(comm -23 <(needed "${command[@]}" | grep '^clnorm_' || true) \
        <(sort -u <(echo "$public") <(defined "$(archive check)" "$(archive base)" "${command[@]}")))
    [ -z "$strangers" ] || wrong "the command needs what is neither public nor of check or base:" "$strangers"
fi
exit $failed
