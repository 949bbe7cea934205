#!/usr/bin/env bash
# The tests, in three calls of pytest: what needs no engine, what does, and what wants the whole
# machine for itself. Each runs though one before it failed. The last lines are each call's own.
set -euo pipefail
cd "$(dirname "$0")/.."
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
failed=0

# call NAME ARGUMENTS...
call() {
    local name=$1
    shift
    printf '\n==> %s\n' "$name"
    .venv/bin/python -m pytest "$@" 2>&1 | tee "$said/$name" || failed=1
}

# Engine tests wait more than they reckon, hence more of them than two cores.
call unit -m unit -n 2 --no-loadscope-reorder
call beside-each-other -m '(program or engine) and not (campaign or serial)' -n 4 --no-loadscope-reorder
call alone -m 'serial and not campaign'

printf '\n'
for name in unit beside-each-other alone; do
    grep -hE '^(FAILED|ERROR) ' "$said/$name" || true
    printf '%s: ' "$name"
    tail -n 1 "$said/$name"
done
exit "$failed"
