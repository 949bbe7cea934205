#!/usr/bin/env bash
# Records the run that stays in the tests: the one-second template, on real parts, as one file.
# Run it when a release's prompts and stages are settled, and after a change of the journal's form
# (`scripts/record-release.sh unreleased`; the word says why, the file is the same).
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-release} in
    release | unreleased) ;;
    *) printf 'record-release: say nothing, or "unreleased"; not "%s"\n' "$1" >&2; exit 2 ;;
esac
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
.venv/bin/aisci run ./tests/data/quick --scale smoke --policy ./tests/data/policies/quick.yaml --results "$made"
runs=("$made"/quick/*/)
[ "${#runs[@]}" -eq 1 ] || { echo "record-release: one run was expected in $made/quick" >&2; exit 1; }
# What the replay test compares, and the record that it plays; the rest can be made from these.
find "${runs[0]}" -name history.git -prune -exec rm -rf {} +
find "${runs[0]}" \( -name report.html -o -name '*.pdf' -o -path '*/latex/out*' \) -delete
.venv/bin/python -m tests.support.recorded "${runs[0]}"
