#!/bin/sh
# Prints a Python 3.11 or later with venv; $PYTHON chooses it. As root on Debian, a missing one is installed.
set -eu
cd "$(dirname "$0")/.."

fits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

choose() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" && echo "$PYTHON" && return 0
        echo "PYTHON=$PYTHON is not Python 3.11 or later with venv" >&2
        return 1
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        fits "$name" && echo "$name" && return 0
    done
    return 1
}

if ! choose; then
    [ -z "${PYTHON:-}" ] || exit 1
    # Both packages are required, because python3 does not contain venv on Debian.
    scripts/install-debian.sh python3 python3-venv >&2
    choose || {
        echo "no Python 3.11 or later with venv: install one, or name it in PYTHON" >&2
        exit 1
    }
fi
