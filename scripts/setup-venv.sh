#!/usr/bin/env bash
# Makes .venv from uv.lock: the same files, by hash, on every machine. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.aisci-stamp
editor_lock=sandbox/locks/editor.txt
want=$(cat pyproject.toml uv.lock scripts/uv.lock.txt "$editor_lock" | sha256sum | cut -d' ' -f1)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    exit 0
fi

fail() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

# find_python MINOR: the first interpreter on PATH that the project supports, below that version.
find_python() {
    local below=$1 candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.12 python3.11 python3.13 python3; do
        if "$candidate" -c "import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, $below)))" 2>/dev/null; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}
python=$(find_python 14) || fail "no Python 3.11, 3.12 or 3.13 on PATH. Install one, or say PYTHON=/path/to/python3.12 make demo"

# Debian splits venv off from Python.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "set-up: installing Debian's python3-venv, which 'python -m venv' needs"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    else
        fail "'$python -m venv' needs ensurepip. On Debian or Ubuntu: apt-get install python3-venv"
    fi
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
    echo "set-up: making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi

# uv itself comes by hash. A private index or CA is taken from pip's own configuration.
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r scripts/uv.lock.txt

# A firm's own CA: uv reads SSL_CERT_FILE, pip may have it in its configuration alone.
if [ -z "${SSL_CERT_FILE:-}" ]; then
    cert=$(.venv/bin/python -m pip config get global.cert 2>/dev/null || true)
    [ -z "$cert" ] || export SSL_CERT_FILE="$cert"
fi

echo "set-up: installing what uv.lock names"
export UV_PROJECT_ENVIRONMENT=.venv
sync() { .venv/bin/uv sync --quiet --frozen --inexact --group dev "$@"; }
sync --no-build --no-install-project   # wheels alone: no package's set-up code runs
sync --no-build-isolation              # aisci itself, by the locked backend
# pip is now the lock's; ensurepip's old setuptools has no user here.
.venv/bin/uv pip uninstall --quiet --python .venv/bin/python setuptools 2>/dev/null || true

# Aider has an environment of its own: `editor: process` and the tests of the guard start it there.
editor=.venv/editor
# Aider wants a Python below 3.13; without one here, edits in containers work as everywhere.
if ! editor_python=$(find_python 13); then
    echo "set-up: no Python 3.11 or 3.12 for Aider: 'editor: process' and its tests need one, nothing else does"
elif [ "$(cat "$editor/.aisci-stamp" 2>/dev/null)" != "$(sha256sum <"$editor_lock")" ]; then
    echo "set-up: installing Aider by $editor_lock into $editor"
    "$editor_python" -m venv --clear --without-pip "$editor"
    .venv/bin/uv pip install --quiet --python "$editor/bin/python" --no-build \
        --require-hashes --requirements "$editor_lock"
    sha256sum <"$editor_lock" >"$editor/.aisci-stamp"
fi

printf '%s\n' "$want" >"$stamp"
