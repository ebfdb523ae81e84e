#!/bin/sh
# Makes sure that tools are there: scripts/install-debian.sh PACKAGE…
#
# A package counts as there when it is installed or its command is. What is missing is installed with apt-get
# where we are root, and named otherwise. Doing it twice does nothing.
set -eu

missing=
for package in "$@"; do
    case $package in
    graphviz) command=dot ;;
    nodejs) command=node ;;
    *) command=$package ;;
    esac
    command -v "$command" >/dev/null 2>&1 && continue
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] && continue
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "missing:$missing" >&2
    echo "install them first; on Debian, as root: apt-get install$missing" >&2
    exit 1
fi

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# The list of packages may be older than the packages.
# shellcheck disable=SC2086 # one word each
if ! apt-get install -y -q --no-install-recommends $missing; then
    apt-get update -q
    apt-get install -y -q --no-install-recommends $missing
fi
