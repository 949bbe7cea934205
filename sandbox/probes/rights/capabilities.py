"""No capability is left, not even to be had later.

tries: to find one among those that the kernel says the process has, may have or hand on
parts: container.capabilities
family: 9
kinds: experiment, latex, editor
"""

from functools import partial
from pathlib import Path

from probing import attempt, done, stop

said = dict(
    line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if line
)


def any_of(which: str) -> str:
    return said[which].strip() if int(said[which], 16) else stop("there is none")


for which in ("CapEff", "CapPrm", "CapBnd"):
    attempt(f"one of {which}", partial(any_of, which))
done()
