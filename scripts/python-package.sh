#!/bin/sh
# Puts the Python package together in target/python, as a wheel would have it. The module is the one that `make module` built with
# the tests in Rust.
set -eu
cd "$(dirname "$0")/.."

rm -rf target/python
mkdir -p target/python
cp -r hotfix-py/python/hotfix target/python/hotfix
cp target/debug/lib_core.so target/python/hotfix/_core.abi3.so
