#!/usr/bin/env bash
# Makes targets one after another, until one fails, and prints the time of each: scripts/parts.sh TITLE TARGET…
set -euo pipefail
title=$1
shift

rows=()
table() {
    printf '\nmake %s: seconds, and seconds of processor time\n' "$title"
    printf '%s\n' "${rows[@]}" | awk '
        { printf "  %-14s %8.1f %8.1f  %s\n", $1, $2, $3, $4; wall += $2; processor += $3 }
        END { printf "  %-14s %8.1f %8.1f\n", "all", wall, processor }'
}
took=$(mktemp)
trap 'rm -f "$took"; table' EXIT

TIMEFORMAT='%R %U %S'
for target in "$@"; do
    echo "==> $target ($(date -u +%H:%M:%S))"
    state=passed
    # The times go to the file, the output of the target to the terminal.
    { time "${MAKE:-make}" --no-print-directory "$target" 2>&3 || state=failed; } 3>&2 2>"$took"
    read -r wall user system <"$took"
    rows+=("$target $wall $(awk "BEGIN { print $user + $system }") $state")
    [ $state = passed ] || exit 1
done
