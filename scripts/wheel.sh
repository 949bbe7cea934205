#!/usr/bin/env bash
# Makes dist/: the wheel of this checkout, and install.txt, which installs it with the packages of
# uv.lock, each by its SHA-256. Needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf dist
.venv/bin/uv build --quiet --wheel --offline --no-build-isolation --python .venv/bin/python --out-dir dist .
.venv/bin/uv export --quiet --frozen --offline --no-dev --no-emit-project --no-header --no-annotate \
    --output-file dist/install.txt >/dev/null
wheel=$(cd dist && echo *.whl)
printf './%s --hash=sha256:%s\n' "$wheel" "$(sha256sum "dist/$wheel" | cut -d' ' -f1)" >>dist/install.txt
echo "dist/$wheel"
echo "install it anywhere: cd dist && pip install --require-hashes --only-binary :all: -r install.txt"
