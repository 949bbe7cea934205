#!/usr/bin/env bash
# Removes what can be made again. Results, images and the engine stay: they are yours.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$(pwd -P)

# A mount below a folder would be emptied with it: look first, then stay on one file system.
remove() {
    local path="$here/$1"
    [ -e "$path" ] || return 0
    if [ -L "$path" ]; then rm -f "$path"; return 0; fi
    if awk -v p="$path" '{ gsub(/\\040/, " ", $5); if ($5 == p || index($5, p "/") == 1) found = 1 } END { exit !found }' /proc/self/mountinfo; then
        printf 'clean: %s has something mounted in it; unmount that first\n' "$path" >&2
        exit 1
    fi
    rm -rf --one-file-system "$path"
}

for path in .venv .make build dist sandbox/wheels .pytest_cache .mypy_cache .ruff_cache .hypothesis; do
    remove "$path"
done
find orchestrator sandbox templates tests -xdev -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
echo "clean: results/ and the Docker images are left alone (aisci images list; docker rmi)"
