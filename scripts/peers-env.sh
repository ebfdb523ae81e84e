#!/bin/sh
# Makes target/peers-env with the packages of benches/peers/requirements.txt and a release wheel of this tree.
#
# It is made again when that file or the interpreter of .venv changes (scripts/python-env.sh makes .venv). A package
# that cannot be installed is reported here and in target/peers-env/missing, and the comparison with it is left out.
set -eu
cd "$(dirname "$0")/.."
scripts/python-env.sh
env=target/peers-env
list=benches/peers/requirements.txt
key=$({
    .venv/bin/python -c 'import sys; print(sys.executable, sys.version)'
    cat "$list"
} | sha256sum | cut -d ' ' -f 1)

if [ "$(cat $env/.key 2>/dev/null || true)" != "$key" ]; then
    echo "making $env"
    rm -rf $env
    .venv/bin/python -m venv $env
    : >$env/missing
    pins=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$list")
    # All together, so that shared dependencies are compatible; if that fails, one by one. shellcheck disable=SC2086
    if ! $env/bin/python -m pip install --quiet --disable-pip-version-check $pins; then
        for pin in $pins; do
            $env/bin/python -m pip install --quiet --disable-pip-version-check "$pin" || {
                echo "not installed, so not compared: $pin" >&2
                echo "$pin" >>$env/missing
            }
        done
    fi
    echo "$key" >$env/.key
fi

# As scripts/python-test.sh builds it.
rm -rf target/wheels
.venv/bin/maturin build --quiet --release --locked --manifest-path hotfix-py/Cargo.toml --out target/wheels >/dev/null
$env/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall target/wheels/*.whl
