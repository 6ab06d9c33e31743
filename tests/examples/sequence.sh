#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/examples/sequence.sh PROGRAM: the gradient of each kind of net is right, training makes the
# loss smaller and gives the same bits again, what diverges is told, and wrong input is refused.
set -eu
sequence=$(realpath "$1")
check=$(dirname "$(realpath "$0")")/sequence.py
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT

must_fail() { # CODE WORDS ARGUMENT...
    wanted=$1 words=$2
    shift 2
    code=0
    "$sequence" "$@" >out 2>err || code=$?
    if [ $code -ne "$wanted" ] || ! grep -qF -e "$words" err; then
        echo "sequence $*: exit code $code, expected $wanted with '$words'; it said:"
        cat out err
        exit 1
    fi
}

# ---- gradients, against the host reference ----
# 20 images of digits in ASCII, and their labels
mkdir data
for part in train t10k; do
    { printf '\0\0\010\003\0\0\0\024\0\0\0\034\0\0\0\034' && seq 9999 | head -c 15680; } \
        >data/$part-images-idx3-ubyte
    printf '\0\0\010\001\0\0\0\024\0\1\2\3\4\5\6\7\10\11\0\1\2\3\4\5\6\7\10\11' \
        >data/$part-labels-idx1-ubyte
done
small="--hidden 9 --batch 5"
for norm in layer none; do
    # shellcheck disable=SC2086
    "$sequence" --check $small --length 6 --norm $norm
done
# shellcheck disable=SC2086
"$sequence" --check $small --task fashion --data data --length 4 --cell lstm

# ---- training ----
easy="--length 4 --hidden 16 --batch 32 --rate 0.01 --steps 80"
for run in "one --seed 5" "again --seed 5" "other --seed 6"; do
    # shellcheck disable=SC2086
    "$sequence" $easy --json ${run%% *}.json ${run#* }
done
# shellcheck disable=SC2086
"$sequence" $small --length 40 --norm none --steps 200 --rate 1000 --json diverged.json | grep diverged
"$check" one.json again.json other.json diverged.json

# ---- what a user can get wrong ----
must_fail 2 "--task is 'sum'; must be one of adding, fashion" --task sum
must_fail 2 '--length is 0; must be 1 to' --length 0
must_fail 2 '--length is 1; must be at least 2' --length 1
must_fail 2 '--length is 30; must divide the 784 pixels' --task fashion --data data --length 30
must_fail 2 'nowhere/train-images-idx3-ubyte' --task fashion --data nowhere
must_fail 2 '--nonlinearity is for --cell rnn' --cell gru --nonlinearity relu
must_fail 2 '--rate is -1; must be' --rate -1
must_fail 2 '--hidden is 0; must be 1 to' --hidden 0
must_fail 3 'no usable device matches' --device name=there-is-none
must_fail 2 'nowhere/out.json' --json nowhere/out.json
printf '\0\0\010\001\0\0\0\024\0\1\2\3\4\5\6\7\10\12\0\1\2\3\4\5\6\7\10\11' >data/t10k-labels-idx1-ubyte
must_fail 2 'label 9 is 10; must be 0 to 9' --task fashion --data data
