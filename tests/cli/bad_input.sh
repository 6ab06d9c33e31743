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
must_fail 2 '--qscale needs -o' run x.npy --verify --out-dtype i8 --quant row --qscale mean.npy
must_fail 2 "--op 'poly_norm': must be layer_norm|rms_norm|group_norm" run x.npy -o out.npy --op poly_norm
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
must_fail 2 "--out-dtype 'i4': must be f32|f16|bf16|f64|i8|e4m3|e5m2" \
    run x.npy -o out.npy --out-dtype i4
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

# ---- options that do not go together ----
npy dy.npy "'<f4'" False '(6, 32)' 768
npy other.npy "'<f4'" False '(6, 16)' 384
npy rows.npy "'<f4'" False '(6,)' 24
npy four.npy "'<f4'" False '(4, 32)' 512
npy image.npy "'<f4'" False '(2, 6, 4, 4)' 768
npy channels.npy "'<f4'" False '(6,)' 24
must_fail 2 'of --eps-inside, --eps-outside and --eps-clamp 2 are given' \
    run x.npy -o out.npy --eps-outside --eps-clamp
must_fail 2 '--given-rstd is missing; layer_norm' run x.npy -o out.npy --given-mean rows.npy
must_fail 2 '--given-mean and --mean are given; allowed is one of them' \
    run x.npy -o out.npy --given-mean rows.npy --given-rstd rows.npy --mean mean.npy
must_fail 2 '--given-mean is given, and rms_norm with these options has no use for it' \
    run x.npy -o out.npy --op rms_norm --given-mean rows.npy --given-rstd rows.npy
must_fail 2 'groups is 4; allowed are divisors of channels, 6' \
    run image.npy -o out.npy --op group_norm --groups 4
must_fail 2 'channels is 5; allowed are divisors of cols, 96' \
    run image.npy -o out.npy --op group_norm --channels 5
must_fail 2 'must have an axis of samples and one of channels' \
    run rows.npy -o out.npy --op instance_norm
must_fail 2 'channels is 4; allowed is 0: layer_norm has no channels' \
    run x.npy -o out.npy --channels 4
must_fail 2 'w.npy: shape (32,); must be (6,)' \
    run image.npy -o out.npy --op batch_norm --weight w.npy
must_fail 2 "--ddof '2': must be 0|1" run x.npy -o out.npy --ddof 2
must_fail 2 'dropout is 1.5; allowed are 0 to 1' run x.npy -o out.npy --dropout 1.5
must_fail 2 '--p is allowed for lp_norm' run x.npy -o out.npy --p 3
must_fail 2 'stats_cols is 33; allowed are 0 to cols, 32' \
    run x.npy -o out.npy --op rms_norm --stats-cols 33
must_fail 2 '--weight is given, and lp_norm with these options has no use for it' \
    run x.npy -o out.npy --op l2_norm --weight w.npy
must_fail 2 '--sum is given, and layer_norm with these options has no use for it' \
    run x.npy -o out.npy --sum s.npy
must_fail 2 'other.npy: shape (6, 16); must be (6, 32)' \
    run x.npy -o out.npy --residual other.npy
must_fail 2 'half.npy: shape (32,); must be (6, 32) or (192,)' \
    run x.npy -o out.npy --residual half.npy
must_fail 2 '--silu-after and --silu-before are given' \
    run x.npy -o out.npy --silu-after dy.npy --silu-before dy.npy
must_fail 2 '--scale is missing; layer_norm' run x.npy -o out.npy --shift dy.npy
must_fail 2 'four.npy: shape (4, 32) has 4 rows; must be a divisor of the 6 rows of x.npy' \
    run x.npy -o out.npy --scale four.npy
must_fail 2 'four.npy: shape (4, 32) has 4 rows; must have 3 for 6 rows of x.npy, 2 rows each' \
    run x.npy -o out.npy --scale four.npy --rows-per-mod 2
must_fail 2 'rows.npy: shape (6,); must be rows of 32' run x.npy -o out.npy --scale rows.npy
# one row for all, and one for each: whichever is read first, the device must not read past its end
for pair in 'scale shift' 'shift scale' 'gate scale' 'scale gate'; do
    must_fail 2 'w.npy: shape (32,) has 1 rows; must have 6 for 6 rows of x.npy, 1 rows each' \
        run x.npy -o out.npy --scale dy.npy --"${pair% *}" w.npy --"${pair#* }" dy.npy
done
must_fail 2 'w.npy: shape (32,) has 1 rows; must have 6' \
    run x.npy --backward dy.npy --scale w.npy --shift dy.npy --dscale out.npy
must_fail 2 'w.npy: shape (32,) has 1 rows; must have 6' \
    run x.npy --backward dy.npy --gate w.npy --scale dy.npy --dgate out.npy
must_fail 2 'of --new-running-mean and --new-running-var one is given' \
    run image.npy -o out.npy --op batch_norm --running-mean channels.npy \
    --running-var channels.npy --new-running-mean mean.npy
must_fail 2 '--new-running-mean needs --running-mean' run image.npy -o out.npy --op batch_norm \
    --new-running-mean mean.npy --new-running-var rstd.npy
must_fail 2 '--running-var is missing; batch_norm' \
    run image.npy -o out.npy --op batch_norm --running-mean channels.npy
must_fail 2 '--quant is allowed with --out-dtype i8, e4m3 or e5m2' run x.npy -o out.npy --quant row
must_fail 2 '--out-dtype is allowed with --quant where it is i8' run x.npy -o out.npy --out-dtype i8
must_fail 2 '--qscale is missing' run x.npy -o out.npy --out-dtype i8 --quant row
must_fail 2 '--qscale is missing' run x.npy -o out.npy --out-dtype i8 --quant static
must_fail 2 '--qzero is missing' run x.npy -o out.npy --out-dtype i8 --quant row --asymmetric \
    --qscale mean.npy
must_fail 2 '--qzero is given' run x.npy -o out.npy --out-dtype i8 --quant row --qscale mean.npy \
    --qzero rstd.npy
npy i8.npy "'|i1'" False '(6, 32)' 192
must_fail 2 'i8.npy: holds int8; allowed for --qzero only' run i8.npy -o out.npy
must_fail 2 'i8.npy: holds int8; allowed for --qzero only' run x.npy -o out.npy --weight i8.npy
must_fail 2 'quant_group is 5; allowed are divisors of cols, 32' run x.npy -o out.npy \
    --out-dtype e4m3 --quant group --quant-group 5 --qscale mean.npy

# ---- options that mean nothing, or make no sense, with the others ----
npy f64.npy "'<f8'" False '(6, 32)' 1536
npy w64.npy "'<f8'" False '(32,)' 256
# lines of OPTIONS : what is allowed, for `run x.npy -o out.npy`
while IFS=: read -r arguments allowed; do
    # shellcheck disable=SC2086
    must_fail 2 "${arguments%% *} is allowed $allowed" run x.npy -o out.npy $arguments
done <<'EOF'
--axes 1 --op batch_norm:for layer_norm, rms_norm,
--axes 1 --op mvn --channels 32:for layer_norm, rms_norm,
--layout nhwc:for group_norm, instance_norm, batch_norm, and mvn with --channels
--layout nhwc --op mvn:for group_norm
--alpha 2:with --residual
--alpha 2 --x-bias w.npy:with --residual
--sum-exact:with --residual, --x-bias, --gate or --dropout
--sum-exact --scale w.npy:with --residual, --x-bias, --gate or --dropout
--momentum 0.5 --op batch_norm:with --new-running-mean
--momentum 0.5:with --new-running-mean
--running-biased --op batch_norm --running-mean w.npy --running-var w.npy:with --new-running-mean
--seed 7:with --dropout
--scale-offset 0 --gate w.npy:with --scale
--rows-per-mod 2 --residual dy.npy:with --gate, --scale or --shift
--weight-offset 1 --bias w.npy:with --weight
--cast-first:with --weight or --bias
--cast-first --op l2_norm:with --weight or --bias
--cast-first --weight w.npy --quant row --out-dtype i8:without --quant
--qscale-min 1:with --quant row and group
--qscale-max 1 --out-dtype i8 --quant static --qscale w.npy:with --quant row and group
--qscale-max 1 --qscale-min 2 --out-dtype i8 --quant row --qscale s.npy:from --qscale-min on
--quant-group 4 --out-dtype i8 --quant row --qscale s.npy:with --quant group
--grad-dtype f16:with --backward
--eps 1 --given-mean rows.npy --given-rstd rows.npy:without --given-rstd
--eps-clamp --given-mean rows.npy --given-rstd rows.npy:without --given-rstd
--ddof 1 --given-mean rows.npy --given-rstd rows.npy:without --given-rstd
--ddof 0 --op rms_norm:for operators that subtract a mean
--eps 1 --center-only:without --center-only
--eps-inside --center-only:without --center-only
--ddof 1 --center-only:without --center-only
--eps-outside --op weight_norm:for all operators but weight_norm
--eps-inside --op lp_norm --p 3:with --p 2, or with --eps 0
--eps-clamp --op batch_norm --running-mean w.npy --running-var w.npy:where statistics are calculated
--ddof 1 --op batch_norm --running-mean w.npy --running-var w.npy:where statistics are calculated
--bf16:with a file of uint16
--p 2.5 --op l2_norm:for lp_norm; l2_norm is that with p 2
--running-mean w.npy:for batch_norm
--running-var w.npy:for batch_norm
--given-rstd rows.npy --op l2_norm:for all operators but lp_norm, l2_norm, weight_norm
--silu-before dy.npy --residual dy.npy:without --residual, --x-bias, --gate and --dropout
--silu-before dy.npy --dropout 0.5:without --residual, --x-bias, --gate and --dropout
--stats-cols 4:for rms_norm
--stats-cols 4 --op rms_norm --groups 2:without --groups
--stats-cols 4 --op rms_norm --given-rstd rows.npy:without --given-rstd
--center-only --op rms_norm:for layer_norm and mvn
--dropout 0.5 --op mvn:for layer_norm and rms_norm
--quant row --op mvn --out-dtype i8:for layer_norm and rms_norm
--groups 2 --quant row --out-dtype i8:without --quant
EOF
# the same for gradients
while IFS=: read -r arguments allowed; do
    # shellcheck disable=SC2086
    must_fail 2 "${arguments%% *} is allowed $allowed" \
        run x.npy --backward dy.npy --dx out.npy $arguments
done <<'EOF'
--out-dtype f16:without --backward
--quant row --qscale s.npy:without --backward
--mean rows.npy --rstd rows.npy --from-output:without --from-output, which takes --rstd alone
--mean rows.npy --op rms_norm:with --backward for operators that subtract a mean
--mean rows.npy:with --rstd, as --backward reads both
--dresidual dr.npy:with --residual or --sum
--dx-bias db.npy:with --x-bias or --sum
--dgate dg.npy --gate w.npy --sum dy.npy --dx-bias db.npy:with --x-bias, where --dx-bias is given
--from-output --op batch_norm:for layer_norm and rms_norm
--from-output --residual dy.npy:without --residual
--from-output --center-only:without --cast-first, --center-only
EOF
must_fail 2 'w64.npy holds f64 and x.npy holds f32; allowed is f64 for all or for none' \
    run x.npy -o out.npy --weight w64.npy
must_fail 2 'w.npy holds f32 and f64.npy holds f64; allowed is f64 for all or for none' \
    run f64.npy -o out.npy --weight w.npy
must_fail 2 '--out-dtype is f64 and x.npy holds f32; allowed is f64 for all or for none' \
    run x.npy -o out.npy --out-dtype f64
must_fail 2 '--grad-dtype is f32 and f64.npy holds f64; allowed is f64 for all or for none' \
    run f64.npy --backward f64.npy --dx out.npy --grad-dtype f32
must_fail 2 'eps is -1e+308' run x.npy -o out.npy --eps=-1e308
must_fail 2 'shape (32,); must be (6,), as the channels of image.npy' \
    run image.npy -o out.npy --op batch_norm --weight w.npy
must_fail 2 'shape (32,); must be (6,), as the statistics of x.npy' \
    run x.npy -o out.npy --given-mean w.npy --given-rstd w.npy
must_fail 2 'shape (32,); must be (6,), one for each row of x.npy' \
    run x.npy -o out.npy --op weight_norm --weight w.npy
must_fail 2 'shape (32,); must be () or (1,), one number' \
    run x.npy -o out.npy --out-dtype i8 --quant static --qscale w.npy

# ---- gradients ----
must_fail 2 '--dx needs --backward DY.npy' run x.npy -o out.npy --dx mean.npy
must_fail 2 '--dx needs --backward DY.npy' run x.npy --verify --dx mean.npy
must_fail 2 '--from-output needs --backward DY.npy' run x.npy -o out.npy --from-output
must_fail 2 '--backward needs a gradient to write' run x.npy --backward dy.npy
must_fail 2 'only forward results are compared' \
    run x.npy --backward dy.npy --verify --device all
must_fail 2 '-o is given and --backward' run x.npy -o out.npy --backward dy.npy --dx mean.npy
must_fail 2 "--grad-dtype 'e4m3': must be f32|f16|bf16|f64" \
    run x.npy --backward dy.npy --dx out.npy --grad-dtype e4m3
must_fail 2 'other.npy: shape (6, 16); must be (6, 32) or (192,), as the shape of x.npy' \
    run x.npy --backward other.npy --dx out.npy
must_fail 2 '--dscale is given; allowed for layer_norm and rms_norm' \
    run x.npy --backward dy.npy --op l2_norm --dscale out.npy
must_fail 2 '--scale is missing' run x.npy --backward dy.npy --dscale out.npy
must_fail 2 '--rstd is allowed with --mean, as --backward reads both' \
    run x.npy --backward dy.npy --dx out.npy --rstd rows.npy
must_fail 2 '--rstd is missing' run x.npy --backward dy.npy --dx out.npy --from-output
must_fail 2 'dy.npy: is the same file as the input dy.npy' run x.npy --backward dy.npy --dx dy.npy
must_fail 2 "--dx '-': must be the name of a file" run x.npy --backward dy.npy --dx -

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
