"""A job that changes its own time limit ends at the policy's.

tries: to write another into what it was given and into its own program, to start that again, and
    to raise what limits it can reach
parts: time.wall
family: 7
kinds: experiment, latex, editor
lower: wall 2s
ends: timed out
"""

import json
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from probing import GIVEN, attempt, done

TIMEOUT = 1
ITSELF = Path(__file__)
PLACES = ("/proc/1/limits", "/proc/self/limits", "/sys/fs/cgroup/cpu.max",
          "/etc/security/limits.conf")  # fmt: skip


def extend() -> None:
    given = ITSELF.parent.parent / "helpers" / "given.json"
    given.write_text(json.dumps({**GIVEN, "wall": 7200}))
    ITSELF.write_text(ITSELF.read_text().replace("TIMEOUT = 1\n", "TIMEOUT = 8\n"))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (7200, 7200))
    for place in PLACES:
        with suppress(OSError):
            Path(place).write_text("7200")


def work() -> str:
    time.sleep(TIMEOUT)
    return f"it worked for {TIMEOUT} s"


if TIMEOUT == 1:
    extend()
    subprocess.run([sys.executable, str(ITSELF)], check=True)
else:
    attempt("work beyond the limit", work)
    done()
