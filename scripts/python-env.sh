#!/bin/sh
# Makes the virtual environment .venv with the tools of the Python tests; $PYTHON chooses the interpreter.
#
# It is made again when the interpreter or a file that lists its content changes; otherwise nothing is done.
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

if ! python=$(choose); then
    [ -z "${PYTHON:-}" ] || exit 1
    # Both packages are required, because python3 does not contain venv on Debian.
    scripts/install-debian.sh python3 python3-venv
    python=$(choose) || {
        echo "no Python 3.11 or later with venv: install one, or name it in PYTHON" >&2
        exit 1
    }
fi

for file in hotfix-py/pyproject.toml hotfix-py/requirements-dev.txt; do
    [ -f "$file" ] || { echo "$file is missing" >&2; exit 1; }
done
key=$({
    "$python" -c 'import sys; print(sys.executable, sys.version)'
    cat hotfix-py/pyproject.toml hotfix-py/requirements-dev.txt
} | sha256sum | cut -d ' ' -f 1)

if [ "$(cat .venv/.key 2>/dev/null || true)" = "$key" ]; then
    exit 0
fi
echo "making .venv with $python"
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement hotfix-py/requirements-dev.txt
echo "$key" >.venv/.key
