#!/bin/sh
# Checks and builds a release: scripts/release.sh --dry-run | --tag (docs/release.md)
#
# --dry-run changes nothing but files in target/. --tag also makes the tag. Neither publishes or pushes anything.
set -eu
cd "$(dirname "$0")/.."

case ${1:-} in
--dry-run | --tag) mode=$1 ;;
*)
    echo "usage: scripts/release.sh --dry-run | --tag" >&2
    exit 2
    ;;
esac

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
out=target/release-files
wrong=

# Prints what is wrong and goes on, so that one run shows everything.
expect() {
    if ! sh -c "$2"; then
        echo "release $version: $1" >&2
        wrong=yes
    fi
}

echo "checking $version"
expect "the tree has changes: commit them" 'test -z "$(git status --porcelain)"'
expect "hotfix-core is asked for in another version in Cargo.toml" \
    "grep -q '^hotfix-core = { path = \"hotfix-core\", version = \"$version\", ' Cargo.toml"
expect "Cargo.lock has another version: run cargo check" \
    "grep -A 1 '^name = \"hotfix-core\"' Cargo.lock | grep -q '^version = \"$version\"'"
expect "CHANGELOG.md has no section '## [$version] - YYYY-MM-DD'" \
    "grep -Eq '^## \\[$version\\] - [0-9]{4}-[0-9]{2}-[0-9]{2}\$' CHANGELOG.md"
expect "hotfix-core/tests/logs has no logs of this release" "test -d hotfix-core/tests/logs/$version"
expect "the tag v$version exists" "! git rev-parse --quiet --verify refs/tags/v$version >/dev/null"
[ -z "$wrong" ] || [ "$mode" = --dry-run ] || exit 1

scripts/packages.sh
scripts/site.sh
cargo build --locked --release -p hotfix-ffi --lib

echo "packing the C library"
name=hotfix-$version-$(rustc --print host-tuple)
rm -rf "$out"
mkdir -p "$out/$name/include" "$out/$name/lib"
cp include/hotfix.h include/hotfix.hpp "$out/$name/include/"
# The standard library comes with LLVM bitcode, of which a C linker makes nothing.
strip --strip-debug -R .llvmbc -R .llvmcmd -o "$out/$name/lib/libhotfix.a" target/release/libhotfix.a
strip -o "$out/$name/lib/libhotfix.so.0" target/release/libhotfix.so
ln -s libhotfix.so.0 "$out/$name/lib/libhotfix.so"
cp LICENSE-MIT LICENSE-APACHE "$out/$name/"
tar -C "$out" -czf "$out/$name.tar.gz" "$name"
rm -rf "${out:?}/$name"
cp target/sdist/*.tar.gz "$out/"
(cd "$out" && sha256sum -- *.tar.gz >SHA256SUMS && cat SHA256SUMS)

if [ -n "$wrong" ]; then
    echo "release $version: not ready, see above" >&2
    exit 1
fi
if [ "$mode" = --tag ]; then
    git tag --annotate "v$version" --message "hotfix $version"
    echo "tagged v$version; docs/release.md has what to publish, and in which order"
else
    echo "release $version: ready"
fi
