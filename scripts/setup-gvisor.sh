#!/usr/bin/env bash
# Gives the engine that our own set-up started the runtime runsc (gVisor), for the tests of the
# policies that ask for it. Any other engine is somebody's: here it says how, and changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
log=/var/log/aisci-dockerd.log # where setup-engine.sh lets its dockerd write
config=/etc/docker/daemon.json

say() { printf 'set-up: %s\n' "$*"; }

# The engine's word for it: runsc is there, and hands each container's seccomp profile on.
registered() {
    .venv/bin/python - 2>/dev/null <<'PY'
import sys
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.job.gvisor import why_unusable
sys.exit(bool(why_unusable(connect(timeout=5).api.info())))
PY
}

# The pid of a dockerd that writes to our log; none other is ours.
ours() {
    local pid
    for pid in $(pidof dockerd || true); do
        if [ "$(readlink "/proc/$pid/fd/1" 2>/dev/null)" = "$log" ]; then
            printf '%s\n' "$pid"
            return 0
        fi
    done
    return 1
}

how() {
    say "gVisor is not set up: $1. Tests and policies that need it say so."
    cat <<'TEXT'
  To have it: install runsc (Debian, Ubuntu: apt-get install runsc; else https://gvisor.dev/docs),
  add to /etc/docker/daemon.json
      {"runtimes": {"runsc": {"path": "/usr/bin/runsc", "runtimeArgs": ["--network=none", "--oci-seccomp"]}}}
  and let the engine read it again: systemctl reload docker
  --oci-seccomp holds for every container under runsc then. The 2022 release reads a profile's
  errnoRet as EPERM: under Docker's own profile, threads do not start there.
TEXT
    exit 0
}

if registered; then exit 0; fi
[ -z "${DOCKER_HOST:-}" ] || how "DOCKER_HOST names an engine of your own"
[ "$(id -u)" -eq 0 ] || how "this takes root"
pid=$(ours) || how "the engine was not started by 'make engine'"

if ! command -v runsc >/dev/null; then
    { [ -f /etc/debian_version ] && command -v apt-get >/dev/null; } || how "there is no runsc"
    say "installing gVisor: apt-get install runsc"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends runsc >/dev/null ||
        how "this distribution has no package runsc"
fi

# --network=none: runsc's own network, which no job is given, does not start on kernels from 6 on.
say "registering it in $config, and letting dockerd (process $pid) read that again: SIGHUP, no restart"
.venv/bin/python - "$config" "$(command -v runsc)" <<'PY'
import json, os, sys
path, runsc = sys.argv[1:]
try:
    with open(path) as file:
        settings = json.load(file)
except FileNotFoundError:
    settings = {}
args = ["--network=none", "--oci-seccomp"]
settings.setdefault("runtimes", {})["runsc"] = {"path": runsc, "runtimeArgs": args}
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path + ".new", "w") as file:
    json.dump(settings, file, indent=2)
    file.write("\n")
os.replace(path + ".new", path)
PY
kill -HUP "$pid"
for _ in $(seq 20); do
    if registered; then exit 0; fi
    sleep 0.5
done
say "dockerd did not take it; the end of $log:"
tail -n 5 "$log"
exit 1
