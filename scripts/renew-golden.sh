#!/usr/bin/env bash
# Rewrites tests/golden/: the engine request of each shipped policy, for each kind of container.
# Review the diff before you commit it: it changes what a container may do.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m tests.support.golden_rig
git --no-pager diff --stat -- tests/golden
