# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of clnorm for bash.

_clnorm() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local option='' command=${COMP_WORDS[1]-} words=''
    # the options of run that take a file, a number, nothing
    local files='--output --weight --bias --mean --rstd --given-mean --given-rstd --running-mean
        --running-var --new-running-mean --new-running-var --residual --sum --x-bias --gate --scale
        --shift --silu-after --silu-before --qscale --qzero --qsum --backward --dsum --dx --dweight
        --dbias --dresidual --dz --dx-bias --dgate --dscale --dshift --dmean --drstd'
    local numbers='--axes --channels --groups --eps --stats-cols --p --weight-offset --alpha
        --rows-per-mod --scale-offset --dropout --seed --momentum --quant-group --qscale-min
        --qscale-max --max-device-bytes'
    local flags='--eps-inside --eps-outside --eps-clamp --center-only --cast-first --sum-exact
        --running-biased --asymmetric --from-output --bf16 --verify'
    COMPREPLY=()

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'devices run check bench cache tune compare report explain --help --version' -- "$current")
        return
    fi

    # "--op=value" arrives as three words, "--op value" as two
    if [ "$current" = = ]; then
        option=$previous current=''
    elif [ "$previous" = = ]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    else
        option=$previous
    fi

    case $command:$option in
    run:--op)
        words='layer_norm rms_norm group_norm instance_norm batch_norm lp_norm l2_norm weight_norm mvn'
        ;;
    check:--op)
        words='all norms layer_norm rms_norm group_norm instance_norm batch_norm lp_norm weight_norm mvn rnn lstm gru'
        ;;
    run:--dtype | run:--grad-dtype) words='f32 f16 bf16 f64' ;;
    run:--out-dtype) words='f32 f16 bf16 f64 i8 e4m3 e5m2' ;;
    run:--ddof) words='0 1' ;;
    run:--layout) words='nchw nhwc' ;;
    run:--quant) words='static row group' ;;
    check:--dtype) words='all f32 f16 bf16 f64 mixed' ;;
    check:--direction) words='all forward backward' ;;
    bench:--preset) words='smoke transformer vision launch long' ;;
    bench:--op) words='layer_norm rms_norm group_norm instance_norm batch_norm lp_norm weight_norm mvn' ;;
    bench:--dtype) words='f32 f16 bf16 f64' ;;
    bench:--direction) words='forward backward' ;;
    bench:--cache) words='cold warm' ;;
    bench:--timer) words='auto event host' ;;
    bench:--format) words='table markdown csv json jsonl sql' ;;
    tune:--op) words='all layer_norm rms_norm' ;;
    tune:--dtype) words='all f32 f16 bf16' ;;
    explain:--op) words='all layer_norm batch_norm rms_norm' ;;
    explain:--input | explain:-i | explain:--html | explain:--weight | explain:--bias)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    explain:--rows | explain:--cols | explain:--set | explain:--first | explain:--offset | explain:--eps)
        return
        ;;
    check:--form) words='all sequential sliced held cooperative' ;;
    explain:--device | explain:-d) words='none auto gpu cpu acc name= platform= uuid=' ;;
    *:--device | run:-d | check:-d | bench:-d | tune:-d) words='auto all gpu cpu acc name= platform= uuid=' ;;
    run:-o | run:--*)
        if [[ $option = -o || " ${files//[[:space:]]/ } " == *" $option "* ]]; then
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
        fi
        [[ " ${numbers//[[:space:]]/ } " == *" $option "* ]] && return
        ;;
    compare:--by) words='of_copy time' ;;
    compare:--fail-on) words='never slow wrong any' ;;
    compare:--format) words='table markdown csv json' ;;
    bench:-o | bench:--out | compare:-o | compare:--output | report:-o | report:--output |
        check:--html)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    bench:--shape | bench:--rounds | bench:--round-time | bench:--min-samples | bench:--max-time) return ;;
    bench:--seed | bench:--title) return ;;
    compare:--pair | compare:--threshold | compare:--explain | report:--title) return ;;
    tune:--cols | tune:--max-time | tune:--max-bytes | tune:--gemm | tune:--candidate-time | tune:--candidate) return ;;
    check:--shape | check:--max-elements | check:--part | check:--seed | check:--variant) return ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
        return
    fi

    if [[ $current != -* ]]; then
        if [[ $command = @(run|compare|report) ]]; then
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
        elif [ "$command" = cache ]; then
            mapfile -t COMPREPLY < <(compgen -W 'stat clear' -- "$current")
        fi
        return
    fi
    words='--device --json --no-color --help'
    case $command in
    cache) words='--json --no-color --help' ;;
    compare)
        words='--by --pair --matrix --threshold --fail-on --explain --force --validate --merge
            --format --output --json --no-color --help'
        ;;
    report) words='--output --title --help' ;;
    devices) words+=' --doctor' ;;
    bench)
        words+=' --preset --op --dtype --direction --shape --cache --rounds --round-time --min-samples'
        words+=' --max-time --timer --seed --list --title --format --out'
        ;;
    tune) words+=' --op --dtype --cols --max-time --max-bytes --gemm --candidate-time --candidate --again --list' ;;
    explain) words+=' --op --input --rows --cols --set --first --offset --eps --weight --bias --markdown --html' ;;
    run) words+=" $files $numbers $flags --op --ddof --layout --dtype --out-dtype --grad-dtype --quant" ;;
    check) words+=' --self-test --op --variant --direction --dtype --form --shape --max-elements --part --seed --markdown --html' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _clnorm clnorm
