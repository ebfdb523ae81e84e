#!/bin/sh
# Makes the packages for the registries and builds from them: the crates, and the source distribution of the Python
# package, which is installed into a new environment. Nothing is uploaded.
set -eu
cd "$(dirname "$0")/.."

# Cargo unpacks each package into its home and never replaces what it has unpacked: without this, the sources of an
# earlier run with the same version number would be built. The folders whose names begin with `-` are those of
# registries without a host, which `cargo publish` makes for a workspace.
rm -rf "${CARGO_HOME:-$HOME/.cargo}"/registry/src/-*/hotfix-core-* "${CARGO_HOME:-$HOME/.cargo}"/registry/src/-*/hotfix-ffi-*

# Uncommitted changes are included. The target folder is separate: otherwise this library would replace that of the
# tests, which contains functions that panic on purpose. Nobody debugs what is built here.
CARGO_PROFILE_DEV_DEBUG=false \
    cargo publish --dry-run --locked --allow-dirty --target-dir target/packages -p hotfix-core -p hotfix-ffi
rm -rf target/packages

scripts/python-env.sh
rm -rf target/sdist target/sdist-env
.venv/bin/maturin sdist --manifest-path hotfix-py/Cargo.toml --out target/sdist
.venv/bin/python -m venv target/sdist-env
# The profile is that of a user, but for the optimisation, which is two thirds of the time and shows nothing here.
CARGO_PROFILE_FROM_SOURCE_OPT_LEVEL=0 target/sdist-env/bin/python -m pip install --quiet --disable-pip-version-check target/sdist/hotfix_py-*.tar.gz
# Runs in another folder, so that the installed package is imported.
cd target/sdist-env
bin/python -c 'import hotfix; print(f"hotfix {hotfix.__version__} from its source distribution:", hotfix.Policy.preset("standard").name)'
