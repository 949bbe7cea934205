"""The kernel that answers the job is not the host's.

tries: to be told the host's version of it, by the call and by the file for that, and by what
    tells this start of the machine from any other
parts: runtime.kernel
family: 9
kinds: experiment, latex, editor
needs: gvisor
"""

import os
from pathlib import Path

from probing import GIVEN, attempt, done, stop

VERSION, BOOT = Path("/proc/version"), Path("/proc/sys/kernel/random/boot_id")


def by_call() -> str:
    told = os.uname().release
    return told if told == GIVEN["kernel"] else stop(f"it says {told}")


def by_file() -> str:
    told = VERSION.read_text().strip()
    return told if GIVEN["kernel"] in told else stop(f"it says {told[:40]}")


def by_start() -> str:
    told = BOOT.read_text().strip()
    return told if told == GIVEN["boot"] else stop(f"it says {told}")


attempt("its version", by_call)
attempt("its version, from the file", by_file)
attempt("its start", by_start)
done()
