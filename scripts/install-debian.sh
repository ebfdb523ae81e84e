#!/bin/sh
# Installs missing tools: scripts/install-debian.sh PACKAGE…
#
# A package is present if it or its command is installed. Missing packages are installed with apt-get if the user is
# root; otherwise they are listed. A second run does nothing.
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
# The package list may be out of date. shellcheck disable=SC2086 # one word each
if ! apt-get install -y -q --no-install-recommends $missing; then
    apt-get update -q
    apt-get install -y -q --no-install-recommends $missing
fi
