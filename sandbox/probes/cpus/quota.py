"""The job has no more CPU time in each second than the policy says.

tries: to work for two seconds on end without being held back, by the kernel's own count, or where
    the job is told none, for a quarter of them
parts: cpus.quota
family: 7
kinds: experiment, latex, editor
lower: cpus 0.15
"""

import time
from pathlib import Path

from probing import attempt, done, stop

SECONDS = 2.0
PAUSE = 0.03  # seconds: other programs' turns are shorter, a quota's pauses longer
BOOKS = [Path("/sys/fs/cgroup", name) for name in ("cpu.stat", "cpu/cpu.stat")]


def held_back() -> int | None:
    for path in BOOKS:
        if path.exists():
            said = dict(line.split() for line in path.read_text().splitlines())
            return int(said.get("nr_throttled", 0))
    return None


def busy() -> float:
    """How much of the time went by in pauses."""
    began = last = time.monotonic()
    paused = 0.0
    while last < began + SECONDS:
        now = time.monotonic()
        paused += now - last if now - last > PAUSE else 0.0
        last = now
    return paused


def work() -> str:
    before, paused, after = held_back(), busy(), held_back()
    if before is None or after is None:
        told = f"it paused for {paused:.2f} of {SECONDS:g} s"
        return told if paused < SECONDS / 4 else stop(told)
    told = f"held back {after - before} times in {SECONDS:g} s"
    return told if after - before < 3 else stop(told)


attempt("two seconds on end", work)
done()
