#!/bin/sh
# Installs Mermaid into target/trees-env, again when its lock file or the version of node changes.
set -eu
cd "$(dirname "$0")/.."
env=target/trees-env
key=$({
    node --version
    cat scripts/trees/package-lock.json
} | sha256sum | cut -d ' ' -f 1)

if [ "$(cat $env/.key 2>/dev/null || true)" != "$key" ]; then
    echo "making $env"
    rm -rf $env
    mkdir -p $env
    cp scripts/trees/package.json scripts/trees/package-lock.json $env/
    npm ci --prefix $env --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
    # The bundle contains everything that Mermaid needs.
    cp $env/node_modules/mermaid/dist/mermaid.min.js $env/
    rm -rf $env/node_modules
    echo "$key" >$env/.key
fi
