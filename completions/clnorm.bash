# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of clnorm for bash.

_clnorm() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local option='' command=${COMP_WORDS[1]-} words=''
    COMPREPLY=()

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'devices run check --help --version' -- "$current")
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
    run:--op) words='layer_norm rms_norm' ;;
    check:--op) words='all layer_norm rms_norm' ;;
    run:--dtype | run:--out-dtype) words='f32 f16 bf16 f64' ;;
    check:--dtype) words='all f32 f16 bf16 f64' ;;
    check:--form) words='all sequential cooperative' ;;
    *:--device | run:-d | check:-d) words='auto all gpu cpu acc name= platform= uuid=' ;;
    run:-o | run:--output | run:--weight | run:--bias | run:--mean | run:--rstd)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    run:--eps | run:--axes | run:--max-device-bytes) return ;;
    check:--shape | check:--max-elements | check:--seed) return ;;
    esac
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
        return
    fi

    if [[ $current != -* ]]; then
        if [ "$command" = run ]; then
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
        fi
        return
    fi
    words='--device --json --no-color --help'
    case $command in
    devices) words+=' --doctor' ;;
    run) words+=' --output --op --weight --bias --eps --axes --dtype --out-dtype --mean --rstd
        --max-device-bytes --verify' ;;
    check) words+=' --op --dtype --form --shape --max-elements --seed' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _clnorm clnorm
