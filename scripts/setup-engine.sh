#!/usr/bin/env bash
# Sees to it that a Docker engine answers. Where none does: on Debian or Ubuntu, as root, it
# says what it will do, installs one and starts it; elsewhere it names the ways and stops.
set -euo pipefail
cd "$(dirname "$0")/.."
log=/var/log/aisci-dockerd.log

say() { printf 'set-up: %s\n' "$*"; }
answers() {
    .venv/bin/python -c 'from orchestrator.sandbox.engine.client import connect; connect(timeout=5)' 2>/dev/null
}
ways() {
    .venv/bin/python - <<'PY' >&2
import sys
from orchestrator.core.errors import AisciError
from orchestrator.sandbox.engine.client import connect
try:
    connect(timeout=5)
except AisciError as error:
    print(error)
PY
    exit 1
}
debian_as_root() { [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; }
apt_install() {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# A pid file that outlived a reboot may name somebody else's process; dockerd would not start.
drop_stale_pid() {
    local file=$1 program=$2 pid
    [ -f "$file" ] || return 0
    pid=$(cat "$file")
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$program" ] || rm -f "$file"
}

start() {
    if [ -d /run/systemd/system ]; then
        say "starting Docker: systemctl start docker"
        systemctl start docker
    else
        say "starting Docker: dockerd, in the background, log in $log"
        drop_stale_pid /run/docker.pid dockerd
        drop_stale_pid /run/docker/containerd/containerd.pid containerd
        setsid dockerd >>"$log" 2>&1 </dev/null &
    fi
    for _ in $(seq 60); do
        if answers; then return 0; fi
        sleep 1
    done
    say "Docker did not come up within a minute; the end of $log:"
    tail -n 15 "$log" 2>/dev/null || true
    exit 1
}

if ! answers; then
    # Whoever names an engine wants that one; another would not be the answer.
    [ -z "${DOCKER_HOST:-}" ] || ways
    if ! command -v dockerd >/dev/null; then
        debian_as_root || ways
        say "no Docker engine answers here. As root on Debian or Ubuntu, this will now"
        say "  install docker.io, iptables, e2fsprogs and mmdebstrap from the distribution, and start dockerd."
        say "  (To use another engine, stop this and set DOCKER_HOST.)"
        apt_install docker.io iptables e2fsprogs mmdebstrap
    fi
    [ "$(id -u)" -eq 0 ] || ways
    answers || start
fi

# Without a registry the images' base is made from Debian's packages, which takes mmdebstrap.
if ! command -v mmdebstrap >/dev/null && debian_as_root; then
    if ! .venv/bin/python - 2>/dev/null <<'PY'
from orchestrator.sandbox.images.base import find_base
from orchestrator.sandbox.engine.client import connect
find_base(connect(), None, lambda line: None)
PY
    then
        say "no registry gives a base image; installing mmdebstrap to make one from Debian's packages"
        apt_install mmdebstrap
    fi
fi
