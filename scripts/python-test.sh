#!/bin/sh
# Builds the wheel, installs it into .venv and tests it there: pytest, mypy --strict, stubtest.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
bin=$root/.venv/bin

# The folder is emptied first, so that its only wheel is the new one.
rm -rf target/wheels
"$bin/maturin" build --profile local --locked --manifest-path hotfix-py/Cargo.toml --out target/wheels
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall target/wheels/*.whl

cd hotfix-py
"$bin/python" -m ruff check . ../examples/python
"$bin/python" -m pytest
"$bin/python" -m mypy --strict python tests
if [ -f tests/stubtest-allowlist.txt ]; then
    "$bin/python" -m mypy.stubtest hotfix --allowlist tests/stubtest-allowlist.txt
else
    "$bin/python" -m mypy.stubtest hotfix
fi
