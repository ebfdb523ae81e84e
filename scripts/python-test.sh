#!/bin/sh
# Tests the Python package: pytest, mypy --strict, stubtest. `make packages` makes and installs the package.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin

scripts/python-package.sh
cd hotfix-py
"$bin/python" -m ruff check . ../examples/python

# The types are checked while the tests run, because both use one core for a good part of their time.
types=../target/python/types.txt
{ "$bin/python" -m mypy --strict python tests && "$bin/python" -m mypy.stubtest hotfix; } >$types 2>&1 &
checked=$!
trap 'wait $checked || true; cat $types' EXIT
"$bin/python" -m pytest --numprocesses=auto --dist=loadfile
wait $checked
