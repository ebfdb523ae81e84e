#!/bin/sh
# Draws the exported decision trees of hotfix-core/tests/golden/tree with Graphviz and Mermaid, and the charts of
# hotfix-core/tests/golden/plan and the states of hotfix-core/tests/golden/rollout with Mermaid, and compares the
# drawings with their texts: scripts/trees.sh
#
# Mermaid runs in a headless Chromium.
set -eu
cd "$(dirname "$0")/.."
env=target/trees-env
scripts/mermaid-env.sh

node scripts/trees/draw.mjs hotfix-core/tests/golden/tree $env
node scripts/trees/gantts.mjs hotfix-core/tests/golden/plan $env
node scripts/trees/states.mjs hotfix-core/tests/golden/rollout $env
