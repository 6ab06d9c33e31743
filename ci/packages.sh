#!/bin/bash
# SPDX-License-Identifier: MIT
# ci/packages.sh demo|test|peers: installs the Debian 12 packages that ci/demo, ci/test or
# bench/peers needs, as root or through sudo. Does nothing, and needs no network, when they are all
# there.
set -euo pipefail

build=(gcc libc6-dev meson ninja-build pkgconf
       ocl-icd-opencl-dev libclblast-dev libpopt-dev libjansson-dev zlib1g-dev libjs-chart.js
       pocl-opencl-icd)
demo=("${build[@]}" dataset-fashion-mnist)
test=("${build[@]}" g++ libcmocka-dev mesa-opencl-icd oclgrind clinfo clang-15 libclc-15
      clang-format-14 shellcheck binutils python3 python3-jsonschema python3-venv
      ca-certificates chromium chromium-driver python3-selenium)
peers=("${build[@]}" libdnnl-dev clinfo python3 python3-venv ca-certificates)

case ${1-} in
demo) wanted=("${demo[@]}") ;;
test) wanted=("${test[@]}") ;;
peers) wanted=("${peers[@]}") ;;
*) echo "usage: ci/packages.sh demo|test|peers" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "packages: this is not Debian: install what docs/install.md names, then run this again" >&2
    echo "packages: going on with what is there" >&2
    exit 0
fi

# Prints the wanted packages that are not installed.
missing() {
    local have
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
    for package in "${wanted[@]}"; do
        grep -qx "installed $package" <<<"$have" || echo "$package"
    done
}

mapfile -t needed < <(missing)
if [ ${#needed[@]} -eq 0 ]; then
    echo "packages: all ${#wanted[@]} are installed"
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "packages: run this as root, or install sudo" >&2; exit 1; }
    as_root=(sudo)
fi
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 \
        -o Dpkg::Use-Pty=0 "$@"
}
echo "packages: installing ${needed[*]}"
apt update || echo "packages: apt-get update failed: trying with the lists that are there" >&2
apt install --yes --no-install-recommends "${needed[@]}"
