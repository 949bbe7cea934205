#!/usr/bin/env bash
# Writes tests/golden/ anew: the engine's request of every shipped policy, for each kind of
# container. Read the diff before you commit it: it is what a container may do from now on.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m tests.support.golden_rig
git --no-pager diff --stat -- tests/golden
