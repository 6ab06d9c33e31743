#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/bad_input.sh COMMAND: what a user can get wrong is one line on stderr that names the
# value and what is allowed, the right exit code, and no file left behind.
set -eu
clnorm=$(realpath "$1")
# shellcheck source=tests/cli/npy.sh
. "$(dirname "$(realpath "$0")")/npy.sh"

npy x.npy "'<f4'" False '(6, 32)' 768
npy w.npy "'<f4'" False '(32,)' 128
npy half.npy "'<f2'" False '(32,)' 64

# ---- the command line ----
must_fail 2 'a command is missing; there are: devices, run, check'
must_fail 2 "did you mean 'run'" rum x.npy
must_fail 2 "no command 'normalize'; there are: devices" normalize
must_fail 2 "unknown option '--bogus'; see clnorm --help" --bogus
must_fail 2 'unknown option --epz, did you mean --eps' run x.npy -o out.npy --epz=3
must_fail 2 'unknown option -z' run x.npy -o out.npy -z
must_fail 2 'option --eps needs a value' run x.npy -o out.npy --eps
must_fail 2 'INPUT is missing' run -o out.npy
must_fail 2 "unexpected argument 'w.npy'" run x.npy w.npy -o out.npy
must_fail 2 '-o OUT is missing' run x.npy
must_fail 2 '--mean needs -o' run x.npy --verify --mean mean.npy
must_fail 2 "--op 'batch_norm': must be layer_norm|rms_norm" run x.npy -o out.npy --op batch_norm
must_fail 2 "--eps '1e-5x': must be a number" run x.npy -o out.npy --eps 1e-5x
must_fail 2 "--eps '1,5': must be a number" run x.npy -o out.npy --eps 1,5
must_fail 2 'eps is -1' run x.npy -o out.npy --eps -1
must_fail 2 'eps is nan' run x.npy -o out.npy --eps nan
must_fail 2 'eps is inf' run x.npy -o out.npy --eps inf
must_fail 2 "--axes 'two': must be a whole number" run x.npy -o out.npy --axes two
for axes in -1 99999999999999999999 +1; do
    must_fail 2 "--axes '$axes': must be a whole number from 0 to 18446744073709551615" \
        run x.npy -o out.npy --axes $axes
done
must_fail 2 '--axes 0: must be at least 1' run x.npy -o out.npy --axes 0
must_fail 2 '--axes 3: must be at most 2' run x.npy -o out.npy --axes 3
must_fail 2 "--max-device-bytes '12Q'" run x.npy -o out.npy --max-device-bytes 12Q
must_fail 2 "--max-device-bytes '0'" run x.npy -o out.npy --max-device-bytes 0
must_fail 2 "'99999999999T'" run x.npy -o out.npy --max-device-bytes 99999999999T
must_fail 2 "--out-dtype 'i8': must be f32|f16|bf16|f64" run x.npy -o out.npy --out-dtype i8
must_fail 2 'f64' run x.npy -o out.npy --out-dtype f64

# ---- the input ----
must_fail 2 'missing.npy: No such file or directory' run missing.npy -o out.npy
must_fail 2 'is a directory; must be a .npy or idx file' run . -o out.npy
must_fail 2 'not a regular file' run /dev/zero -o out.npy
: >empty.npy
must_fail 2 'empty.npy: is empty' run empty.npy -o out.npy
echo 'some text' >text.npy
must_fail 2 'neither a .npy nor an idx file' run text.npy -o out.npy
head -c 9 x.npy >cut.npy
must_fail 2 'cut.npy: the .npy header is cut off' run cut.npy -o out.npy
head -c 100 x.npy >cut.npy
must_fail 2 'the .npy header is cut off: it needs 128 bytes and the file has 100' \
    run cut.npy -o out.npy
head -c 895 x.npy >cut.npy
must_fail 2 "shape (6, 32) of '<f4' takes 768 bytes of data, the file has 767" run cut.npy -o out.npy
npy bad.npy "'<f4'" True '(6, 32)' 768
must_fail 2 'fortran_order is True; must be False' run bad.npy -o out.npy
npy bad.npy "'|O'" False '(6, 32)' 768
must_fail 2 "dtype '|O' is object; allowed are '<f4'" run bad.npy -o out.npy
npy bad.npy "'>f4'" False '(6, 32)' 768
must_fail 2 "dtype '>f4' is big-endian; allowed are '<f4'" run bad.npy -o out.npy
npy bad.npy "[('a', '<f4')]" False '(6, 32)' 768
must_fail 2 'dtype is structured; allowed are' run bad.npy -o out.npy
npy bad.npy "'<i8'" False '(6, 32)' 1536
must_fail 2 "dtype '<i8' is unsupported; allowed are" run bad.npy -o out.npy
npy bad.npy "'<f4'" False '(4294967296, 4294967296)' 768
must_fail 2 'shape (4294967296, 4294967296) is more than' run bad.npy -o out.npy
npy bad.npy "'<f4'" False '()' 4
must_fail 2 'shape () has no axis' run bad.npy -o out.npy
npy bad.npy "'<f4'" False '(6, 0)' 0
must_fail 2 'shape (6, 0) gives rows of 0 columns; must be at least 1' run bad.npy -o out.npy
npy u2.npy "'<u2'" False '(6, 32)' 384
must_fail 2 "'<u2' is allowed only with --dtype bf16" run u2.npy -o out.npy
must_fail 2 'x.npy: holds f32; --dtype bf16 must be the same' run x.npy -o out.npy --dtype bf16
printf '\000\000\010\001\000\000\000\005abc' >cut.idx
must_fail 2 'cut.idx: the idx data is cut off' run cut.idx -o out.npy
printf '\000\000\014\001\000\000\000\001abcd' >int.idx
must_fail 2 'idx type 0x0c; must be 0x08 (uint8)' run int.idx -o out.npy
gzip -c cut.idx >cut.idx.gz
must_fail 2 'cut.idx.gz: the idx data is cut off' run cut.idx.gz -o out.npy
gzip -c x.npy >x.npy.gz
must_fail 2 'no idx file' run x.npy.gz -o out.npy

# ---- weight and bias ----
must_fail 2 'none.npy: No such file' run x.npy -o out.npy --weight none.npy
npy bad.npy "'<f4'" False '(31,)' 124
must_fail 2 'bad.npy: shape (31,); must be (32,), as the rows of x.npy' \
    run x.npy -o out.npy --weight bad.npy
npy bad.npy "'<f4'" False '(1, 32)' 128
must_fail 2 'bad.npy: shape (1, 32); must be (32,)' run x.npy -o out.npy --bias bad.npy
must_fail 2 'must be (6, 32) or (192,)' run x.npy -o out.npy --axes 2 --weight w.npy
must_fail 2 'w.npy holds f32 and half.npy holds f16; must be the same' \
    run x.npy -o out.npy --weight w.npy --bias half.npy

# ---- the outputs ----
must_fail 2 'out.npy/y.npy: cannot be written: No such file or directory' run x.npy -o out.npy/y.npy
must_fail 2 '.: is a directory; must be the name of a file' run x.npy -o .
must_fail 2 '/proc/self/y.npy: cannot be written' run x.npy -o /proc/self/y.npy
must_fail 2 "-o '-': must be the name of a file" run x.npy -o -
must_fail 2 "--mean '-': must be the name of a file" run x.npy -o out.npy --mean -
must_fail 2 "--rstd '-': must be the name of a file" run x.npy -o out.npy --rstd -
[ ! -e - ] || fail 'a file named - is left'
must_fail 2 "INPUT '': must be the name of a file" run '' -o out.npy
must_fail 2 "-o '': must be the name of a file" run x.npy -o ''
for option in --weight --bias --mean --rstd; do
    must_fail 2 "$option '': must be the name of a file" run x.npy -o out.npy $option ''
done
must_fail 2 '/dev/full: is not a regular file' run x.npy -o /dev/full
cp x.npy before.npy
must_fail 2 'x.npy: is the same file as the input x.npy' run x.npy -o x.npy
must_fail 2 './w.npy: is the same file as the input w.npy' run x.npy -o ./w.npy --weight w.npy
ln x.npy hard.npy
must_fail 2 'hard.npy: is the same file as the input x.npy' run x.npy -o hard.npy
ln -s x.npy soft.npy
must_fail 2 'soft.npy: is the same file as the input x.npy' run x.npy -o out.npy --mean soft.npy
must_fail 2 './out.npy: is named for two outputs' run x.npy -o out.npy --rstd ./out.npy
cmp -s x.npy before.npy || fail 'an input was changed'
# The limit stands for a full disk: the room is asked for before the work begins.
(
    ulimit -f 1
    code=0
    "$clnorm" run x.npy -o out.npy --axes 2 --out-dtype f32 --weight x.npy --bias x.npy \
        2>limit.txt || code=$?
    exit $code
) || code=$?
case_name='a file size limit of one block'
mv limit.txt stderr
[ "$code" -eq 2 ] || fail "exit code $code, must be 2"
grep -q 'out.npy: no room for 896 bytes: File too large' stderr || fail 'the reason is missing'
no_leftovers
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    chmod 555 locked
    must_fail 2 'locked/y.npy: cannot be written: Permission denied' run x.npy -o locked/y.npy
fi

# ---- the device ----
must_fail 2 'nonsense=1' run x.npy -o out.npy --device nonsense=1
must_fail 3 'name=no such device"; there are: 0 ' run x.npy -o out.npy --device 'name=no such device'
must_fail 3 'name=no such device' run x.npy --verify --device 'name=no such device'
export CLNORM_DEVICE='name=nobody'
must_fail 3 'CLNORM_DEVICE "name=nobody"' run x.npy -o out.npy
unset CLNORM_DEVICE
must_fail 3 'one row needs 256 bytes' run x.npy -o out.npy --max-device-bytes 64
mkdir no-icd
export OCL_ICD_VENDORS="$scratch/no-icd"
must_fail 3 'OpenCL' run x.npy -o out.npy
must_fail 3 'OpenCL' run x.npy --verify --device all

finish
