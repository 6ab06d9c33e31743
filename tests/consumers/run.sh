#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/consumers/run.sh BUILD_ROOT CC CXX: installs clnorm into a folder, builds the applications
# beside this script against it through pkg-config, with the shared and with the static library,
# the code of docs/recurrent.md, and the example of README.md by its own line, and runs them on the
# device that the environment gives.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 cc=$2 cxx=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

DESTDIR=$scratch meson install -C "$build" --no-rebuild --quiet
installed=$(find "$scratch" -name clnorm.pc)
prefix=$(sed -n 's/^prefix=//p' "$installed")
mkdir "$scratch/pkgconfig"
sed "s|^prefix=.*|prefix=$scratch$prefix|" "$installed" >"$scratch/pkgconfig/clnorm.pc"
export PKG_CONFIG_PATH=$scratch/pkgconfig
libraries=$(pkg-config --variable=libdir clnorm)

# build_and_run NAME COMPILER SOURCE FLAG...
build_and_run() {
    local name=$1 compiler=$2 source=$3
    shift 3
    # shellcheck disable=SC2046 # a list of words
    "$compiler" -Wall -Wextra -Werror $(pkg-config --cflags clnorm) "$here/$source" \
        -o "$scratch/$name" "$@" -lm
    echo "$name:"
    LD_LIBRARY_PATH=$libraries "$scratch/$name"
}

read -ra shared < <(pkg-config --libs clnorm)
read -ra static < <(pkg-config --static --libs clnorm | sed 's/-lclnorm/-l:libclnorm.a/')
build_and_run c-shared "$cc" app.c -std=c99 "${shared[@]}"
build_and_run c-static "$cc" app.c -std=c99 "${static[@]}"
build_and_run cxx-shared "$cxx" app.cpp -std=c++11 "${shared[@]}"
build_and_run cxx-static "$cxx" app.cpp -std=c++11 "${static[@]}"

# code_of FILE: its first example in C
# shellcheck disable=SC2016 # three backquotes, not a command
code_of() { sed -n '/^```c$/,/^```$/{/^```$/q;/^```/d;p}' "$1"; }
code_of "$here/../../docs/recurrent.md" >"$scratch/recurrent.inc"
build_and_run recurrent "$cc" recurrent.c -std=c99 -I "$scratch" "${shared[@]}"

for program in c-static cxx-static; do
    if ldd "$scratch/$program" | grep -q libclnorm; then
        echo "$program still needs the shared library"
        exit 1
    fi
done

# The example: both rows are the same but for the mean.
# shellcheck disable=SC2317 # called by the line of README.md
cc() { command "$cc" -std=c99 -Wall -Wextra -Werror "$@"; }
readme=$here/../../README.md
cd "$scratch"
code_of "$readme" >example.c
eval "$(sed -n '/^    cc example\.c /p' "$readme")"
echo "example of README.md:"
LD_LIBRARY_PATH=$libraries ./a.out | tee output
[ "$(cat output)" = $'-1.34164 1.34164\n-1.34164 1.34164' ]
