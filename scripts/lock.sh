#!/usr/bin/env bash
# Renews every lock: uv.lock, uv itself, and what the images install. Run it after changing
# pyproject.toml; commit what it writes. The images' locks hold to the versions of uv.lock, but for
# the editor's, which is frozen: RENEW_EDITOR=1 renews it.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv

# A mirror set on this machine must not reach a lock.
public() { env -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS "$@"; }

public "$uv" lock "$@"

printf 'uv==%s\n' "$("$uv" --version | cut -d' ' -f2)" |
    public "$uv" pip compile --quiet --no-config --generate-hashes --no-header --no-annotate \
        --output-file scripts/uv.lock.txt - >/dev/null

# requirements EXTRA: the lines of that extra in pyproject.toml
requirements() {
    .venv/bin/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")' "$1"
}

# image_lock NAME EXTRA [SED]: the image's Python is Debian's 3.11 on Linux, x86-64
image_lock() {
    local name=$1 extra=$2 edit=${3:-}
    public "$uv" export --quiet --frozen --no-dev --no-emit-project --no-hashes --no-header \
        --extra "$extra" --output-file "$scratch/constraints" >/dev/null
    sed -i "$edit" "$scratch/constraints"
    requirements "$extra" | sed "$edit" |
        "$uv" pip compile --quiet --no-config --generate-hashes --no-header --no-emit-index-url \
            --python-version 3.11 --python-platform x86_64-unknown-linux-gnu \
            --constraint "$scratch/constraints" --output-file "sandbox/locks/$name.txt" - >/dev/null
    # where a line comes from is of interest; where the scratch folder was is not
    sed -i '/^    #.*\/constraints$/d; s/^    # via -$/    # via pyproject.toml/; s/^    #   -r -$/    #   pyproject.toml/' "sandbox/locks/$name.txt"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset UV_DEFAULT_INDEX UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_FIND_LINKS
image_lock sandbox-cuda torch
image_lock latex latex

if [ -n "${RENEW_EDITOR:-}" ]; then
    .venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["tool"]["aisci"]["editor"], sep="\n")' |
        "$uv" pip compile --quiet --no-config --generate-hashes --no-header --no-emit-index-url \
            --python-version 3.11 --python-platform x86_64-unknown-linux-gnu \
            --output-file sandbox/locks/editor.txt - >/dev/null
fi

# PyTorch's CPU wheel is on an index of its own; pip's settings know it, uv is told.
links=${PIP_FIND_LINKS:-$(.venv/bin/python -m pip config get global.find-links 2>/dev/null || true)}
extra=${PIP_EXTRA_INDEX_URL:-}
[ -z "$links" ] || export UV_FIND_LINKS="$links"
[ -z "$extra" ] || export UV_EXTRA_INDEX_URL="$extra"
image_lock sandbox-cpu torch 's/^torch==\([0-9.]*\)\(.*\)$/torch==\1+cpu/; /^triton\|^nvidia-\|^cuda-/d'
