#!/bin/sh
# Inside the first stage of an image: makes /opt/venv from one lock, every file by its hash.
# Wheels beside the lock (the host fetched them) are used alone; without them pip asks its index.
set -eu
lock=$1
python3 -m venv --without-pip /opt/venv

# A firm's own CA, where the build was given one.
for bundle in /install/*.crt; do
    [ -e "$bundle" ] || continue
    cat /etc/ssl/certs/ca-certificates.crt "$bundle" >/install/bundle.pem
    export PIP_CERT=/install/bundle.pem
done

if ls /install/*.whl >/dev/null 2>&1; then
    set -- --no-index --find-links /install
else
    set -- --only-binary :all:
fi
python3 -m pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --no-warn-script-location --require-hashes "$@" -r "$lock"
