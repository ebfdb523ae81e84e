#!/bin/sh
# Makes what a registry would get, and builds it as from there: the crates, and the source distribution of the Python
# package, from which a new environment gets a wheel. Nothing is sent.
set -eu
cd "$(dirname "$0")/.."

# What is not committed yet is looked at, too. In a folder of its own: built beside the tests, the library would take the
# place of theirs, which has the functions that panic on purpose.
cargo publish --dry-run --locked --allow-dirty --target-dir target/packages -p hotfix-core -p hotfix-ffi
rm -rf target/packages

scripts/python-env.sh
rm -rf target/sdist target/sdist-env
.venv/bin/maturin sdist --manifest-path hotfix-py/Cargo.toml --out target/sdist
.venv/bin/python -m venv target/sdist-env
target/sdist-env/bin/python -m pip install --quiet --disable-pip-version-check target/sdist/hotfix_py-*.tar.gz
# From elsewhere, so that it is the installed package.
cd target/sdist-env
bin/python -c 'import hotfix; print(f"hotfix {hotfix.__version__} from its source distribution:", hotfix.Policy.preset("standard").name)'
