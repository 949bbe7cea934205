"""The job has no more CPU time in each second than the policy says.

tries: to have half as much again as is allowed, with three processes for two seconds, by the
    kernel's own books; where the job is shown none, to work without being held back
parts: cpus.quota
family: 7
kinds: experiment, latex, editor
lower: cpus 0.08
"""

import os
import signal
import time
from pathlib import Path

from probing import GIVEN, attempt, done, stop

SECONDS = 2.0
PAUSE = 0.03  # seconds: other programs' turns are shorter, a quota's pauses longer
OLD, NEW = Path("/sys/fs/cgroup/cpuacct/cpuacct.usage"), Path("/sys/fs/cgroup/cpu.stat")


def used() -> float | None:
    """CPU seconds of the whole container so far; None where nobody says."""
    if OLD.exists():
        return int(OLD.read_text()) / 1e9
    if NEW.exists():
        return int(dict(line.split() for line in NEW.open())["usage_usec"]) / 1e6
    return None


def paused() -> float:
    """Work; how much of the time went by in pauses."""
    began = last = time.monotonic()
    pauses = 0.0
    while last < began + SECONDS:
        now = time.monotonic()
        pauses += now - last if now - last > PAUSE else 0.0
        last = now
    return pauses


def work() -> str:
    others = [os.fork() for _ in range(2)]
    if 0 in others:
        while True:
            pass
    began, before, pauses, after = time.monotonic(), used(), paused(), used()
    took = time.monotonic() - began
    for pid in others:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if before is None or after is None:
        told = f"it paused for {pauses:.2f} of {SECONDS:g} s"
        return told if pauses < SECONDS / 4 else stop(told)
    told = f"{after - before:.2f} s of CPU time in {took:.2f} s"
    return told if after - before > 1.5 * GIVEN["cpus"] * took else stop(told)


attempt("more CPU time than is allowed", work)
done()
