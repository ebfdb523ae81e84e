#!/bin/sh
# Makes the packages for the registries and builds from them: the crates, without the parts that can be left out and with each of
# them alone (docs/decisions/parts.md), and the source distribution of the Python package, which has them all and is installed
# into a new environment. Nothing is uploaded.
set -eu
cd "$(dirname "$0")/.."

# Cargo would build each package once, optimised as a stranger would, into a folder of its own. Here they are unpacked and
# checked beside each other, with the metadata of dependencies that clippy left. Uncommitted changes are included.
rm -rf target/packages
cargo publish --dry-run --no-verify --locked --allow-dirty --target-dir target/packages -p hotfix-core -p hotfix-ffi
mkdir target/packages/unpacked
find target/packages -name '*.crate' -exec tar -xzf {} -C target/packages/unpacked \;
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cat >target/packages/unpacked/Cargo.toml <<END
[workspace]
members = ["hotfix-*"]
resolver = "3"
[patch.crates-io]
hotfix-core = { path = "hotfix-core-$version" }
END
cp Cargo.lock target/packages/unpacked/
for parts in "" interop kayenta message report simulate; do
    echo "hotfix-ffi from its package with the parts: ${parts:-none}"
    cargo check --quiet --offline --manifest-path target/packages/unpacked/Cargo.toml --target-dir target \
        -p hotfix-ffi --lib --no-default-features --features "$parts"
done
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
