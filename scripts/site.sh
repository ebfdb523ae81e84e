#!/bin/sh
# Builds the manual into target/site and checks every link in it: scripts/site.sh
#
# The generator is installed into target/site-env, again when its requirements or the interpreter change. If npm is
# present, Mermaid is installed too and draws the diagrams; without it, diagrams are shown as text. The Rust API
# documentation, if it has been built, is copied to target/site/rust.
set -eu
cd "$(dirname "$0")/.."
env=target/site-env

python=$(scripts/python-find.sh)
key=$({
    "$python" -c 'import sys; print(sys.executable, sys.version)'
    cat scripts/site/requirements.txt
} | sha256sum | cut -d ' ' -f 1)

if [ "$(cat $env/.key 2>/dev/null || true)" != "$key" ]; then
    echo "making $env with $python"
    rm -rf $env
    "$python" -m venv $env
    $env/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
        --requirement scripts/site/requirements.txt
    echo "$key" >$env/.key
fi

if ! { command -v npm >/dev/null 2>&1 && scripts/mermaid-env.sh; }; then
    echo "Mermaid could not be installed with npm: the diagrams of the manual are shown as text" >&2
fi

$env/bin/python scripts/site/stage.py target/site-source
$env/bin/zensical build --strict --clean --config-file target/site-source/zensical.toml
rm -rf target/site
mv target/site-source/site target/site
if [ -f target/doc/hotfix_core/index.html ]; then
    cp -R target/doc target/site/rust
fi
echo "target/site/index.html"
