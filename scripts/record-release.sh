#!/usr/bin/env bash
# Records the run that stays in the tests for a release: the one-second template, on real parts.
# Run it once, when a release's prompts and stages are settled. Between releases a change of the
# journal's form is recorded as `scripts/record-release.sh unreleased`.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(.venv/bin/python -c 'import orchestrator; print(orchestrator.__version__)')
into=tests/data/recorded/${1:-$version}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
.venv/bin/aisci run ./tests/data/quick --scale smoke --policy ./tests/data/policies/quick.yaml --results "$made"
rm -rf "$into"
mkdir -p "$(dirname "$into")"
cp -r "$made"/quick/* "$into"
# What the replay test compares, and the record that it plays; the rest can be made from these.
find "$into" -name history.git -prune -exec rm -rf {} +
find "$into" \( -name report.html -o -name '*.pdf' -o -path '*/latex/out/*' \) -delete
echo "recorded: $into"
