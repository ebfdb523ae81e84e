#!/bin/sh
# Makes the virtual environment .venv with the tools of the Python tests; $PYTHON chooses the interpreter.
#
# It is made again when the interpreter or a file that lists its content changes; otherwise nothing is done. It imports the package
# from target/python, where scripts/python-test.sh puts it together.
set -eu
cd "$(dirname "$0")/.."

python=$(scripts/python-find.sh)

for file in hotfix-py/pyproject.toml hotfix-py/requirements-dev.txt; do
    [ -f "$file" ] || { echo "$file is missing" >&2; exit 1; }
done
key=$({
    "$python" -c 'import sys; print(sys.executable, sys.version)'
    cat hotfix-py/pyproject.toml hotfix-py/requirements-dev.txt scripts/python-env.sh
} | sha256sum | cut -d ' ' -f 1)

if [ "$(cat .venv/.key 2>/dev/null || true)" = "$key" ]; then
    exit 0
fi
echo "making .venv with $python"
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement hotfix-py/requirements-dev.txt
echo "$PWD/target/python" >"$(echo .venv/lib/python*/site-packages)/hotfix.pth"
echo "$key" >.venv/.key
