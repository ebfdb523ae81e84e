#!/bin/sh
# Tests the Python package: pytest, mypy --strict, stubtest. The module is the one that `make module` built with the tests in
# Rust; `make packages` makes and installs the package.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin

# The package as a wheel would have it, in a folder of its own.
rm -rf target/python
mkdir -p target/python
cp -r hotfix-py/python/hotfix target/python/hotfix
cp target/debug/lib_core.so target/python/hotfix/_core.abi3.so

cd hotfix-py
"$bin/python" -m ruff check . ../examples/python

# The types are checked while the tests run, because both use one core for a good part of their time.
types=../target/python/types.txt
{ "$bin/python" -m mypy --strict python tests && "$bin/python" -m mypy.stubtest hotfix; } >$types 2>&1 &
checked=$!
trap 'wait $checked || true; cat $types' EXIT
"$bin/python" -m pytest --numprocesses=auto --dist=loadfile
wait $checked
