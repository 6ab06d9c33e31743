#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/cli/documents.sh COMMAND ROOT: every command and option that --help lists is in the man page
# and in the completion, and neither has one that is not there. The files that the documents link to
# are there.
set -eu
clnorm=$(realpath "$1")
man=$2/docs/clnorm.1
completion=$2/completions/clnorm.bash
failures=0

fail() {
    echo "FAIL: $1"
    failures=$((failures + 1))
}

options_of() { grep -o -e '--[a-z][a-z-]*' | sort -u; }

commands=$("$clnorm" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || fail 'no command in clnorm --help'
listed=--version
for command in $commands; do
    grep -q "^\.SS $command\$" "$man" || fail "$command is not in $man"
    grep -q "'[a-z ]*${command}[a-z -]*'" "$completion" || fail "$command is not in $completion"
    # a line of the help begins with spaces and the option; examples begin with "clnorm"
    listed="$listed $("$clnorm" "$command" --help | grep -E '^ +-' | options_of)"
done
listed=$(echo "$listed" | tr ' ' '\n' | sort -u)

documented=$(sed 's/\\-/-/g' "$man" | options_of)
completed=$(options_of <"$completion")
for option in $listed; do
    echo "$documented" | grep -qx -e "$option" || fail "$option is not in $man"
    echo "$completed" | grep -qx -e "$option" || fail "$option is not in $completion"
done
for option in $documented $completed; do
    echo "$listed" | grep -qx -e "$option" || fail "$option is no option of clnorm"
done

for document in "$2"/README.md "$2"/CONTRIBUTING.md "$2"/results/README.md "$2"/docs/*.md; do
    # ](TARGET), without what is on the web and places in the same document
    links=$(grep -o ']([^)]*)' "$document" | sed 's/^](//; s/)$//; s/#.*//' | grep -v '://' || true)
    for link in $links; do
        [ -e "$(dirname "$document")/$link" ] || fail "$document links to $link, which is not there"
    done
done

echo "$(echo "$listed" | wc -l) options, $failures failures"
[ "$failures" -eq 0 ]
