#!/bin/sh
# Makes what a registry would get, and builds it as from there: the crates, and the source distribution of the Python
# package, from which a new environment gets a wheel. Nothing is sent.
set -eu
cd "$(dirname "$0")/.."

# What is committed later is looked at, too.
cargo publish --dry-run --locked --allow-dirty -p hotfix-core -p hotfix-ffi
# What it was built with takes gigabytes.
rm -rf target/package

scripts/python-env.sh
rm -rf target/sdist target/sdist-env
.venv/bin/maturin sdist --manifest-path hotfix-py/Cargo.toml --out target/sdist
.venv/bin/python -m venv target/sdist-env
target/sdist-env/bin/python -m pip install --quiet --disable-pip-version-check target/sdist/hotfix_py-*.tar.gz
# From elsewhere, so that it is the installed package.
cd target/sdist-env
bin/python -c 'import hotfix; print(f"hotfix {hotfix.__version__} from its source distribution:", hotfix.Policy.preset("standard").name)'
