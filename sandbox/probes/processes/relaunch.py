"""A script that starts itself again and again comes to an end.

tries: twice as many launches as processes are allowed; each starts two more, leaves its session
    and outlives its parent
parts: processes.pids
family: 6
kinds: experiment, latex, editor
lower: pids 64
ends: out of pids
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from probing import GIVEN, attempt, done, stop

MOST = 2 * GIVEN["pids"]
PATIENCE = 3  # seconds in which there are no more of them
SCRIPT = f"""
echo >> launched
if [ "$(wc -l < launched)" -lt {MOST} ]; then
    setsid sh again.sh & setsid sh again.sh &
fi
exec sleep 30
"""


def running() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = path.read_bytes()
        except OSError:
            continue
        found += [int(path.parent.name)] if said.startswith((b"sleep\x0030", b"sh\0again")) else []
    return found


def launch() -> str:
    Path("again.sh").write_text(SCRIPT)
    subprocess.Popen(["sh", "again.sh"], stderr=subprocess.DEVNULL)
    most, since = 0, time.monotonic()
    while most < MOST:
        time.sleep(0.2)
        if (count := len(running())) > most:
            most, since = count, time.monotonic()
        elif time.monotonic() > since + PATIENCE:
            stop(f"there were never more than {most}")
    return f"{most} at once"


attempt("twice as many launches", launch)
Path("again.sh").unlink()
for process in running():
    os.kill(process, signal.SIGKILL)
done()
