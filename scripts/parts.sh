#!/usr/bin/env bash
# Makes targets one after another, until one fails, and prints the time of each: scripts/parts.sh TITLE TARGET…
# Targets joined by `+` are made at the same time.
set -euo pipefail
title=$1
shift

rows=()
table() {
    printf '\nmake %s: seconds, and seconds of processor time\n' "$title"
    printf '%s\n' "${rows[@]}" | awk -v wall=$SECONDS '
        { printf "  %-14s %8.1f %8.1f  %s\n", $1, $2, $3, $4; processor += $3 }
        END { printf "  %-14s %8.1f %8.1f\n", "all", wall, processor }'
}
took=$(mktemp -d)
trap 'rm -rf "$took"; table' EXIT

TIMEFORMAT='%R %U %S'
# The times go to a file, the output of the target to the terminal.
timed() {
    local state=passed
    { time "${MAKE:-make}" --no-print-directory "$1" 2>&3 || state=failed; } 3>&2 2>"$took/$1"
    echo "$state" >>"$took/$1"
    [ $state = passed ]
}

for step in "$@"; do
    echo "==> $step ($(date -u +%H:%M:%S))"
    all=passed
    IFS=+ read -ra targets <<<"$step"
    for target in "${targets[@]}"; do
        timed "$target" &
    done
    for job in $(jobs -p); do
        wait "$job" || all=failed
    done
    for target in "${targets[@]}"; do
        { read -r wall user system && read -r state; } <"$took/$target"
        rows+=("$target $wall $(awk "BEGIN { print $user + $system }") $state")
    done
    [ $all = passed ] || exit 1
done
