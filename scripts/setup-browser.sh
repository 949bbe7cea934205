#!/usr/bin/env bash
# The report's tests look at its pages in a real browser: on Debian or Ubuntu, as root, install it.
set -euo pipefail

command -v chromium >/dev/null && exit 0
if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
    echo "set-up: installing the browser chromium, which the report's tests look through"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
    echo "set-up: no chromium here; the one test that needs it will say that it was skipped"
fi
