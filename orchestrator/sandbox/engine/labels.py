"""Who owns what on the engine: labels on every container and volume that aisci makes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RUN, JOB, KIND, OWNER, DEADLINE = (
    "aisci.run",
    "aisci.job",
    "aisci.kind",
    "aisci.owner",
    "aisci.deadline",
)

_SPACE = "@"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process by boot, id and start: an id alone is given again to others.

    ``boot`` also says in which name space of process ids that id is meant.
    """

    boot: str
    pid: int
    start: int

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(_boot(), os.getpid(), _start(os.getpid()) or 0)

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner that a label names; None where it names none."""
        parts = text.split(":")
        if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]))

    def __str__(self) -> str:
        return f"{self.boot}:{self.pid}:{self.start}"

    @property
    def alive(self) -> bool:
        """Whether that very process still runs, on this machine since this boot.

        True too where nobody can tell from here: it is in another container, or hidden from us.
        """
        (boot, _, space), (here, _, ours) = self.boot.partition(_SPACE), _boot().partition(_SPACE)
        if boot != here or (space and space != ours):
            return boot == here
        found = _start(self.pid)
        return self.start == found or (found is None and _hidden(self.pid))


def labels(run_id: str, owner: Owner, *, job: str, kind: str, deadline: float) -> dict[str, str]:
    """The labels of one resource; ``deadline`` in seconds since the epoch, 0 for none."""
    return {RUN: run_id, JOB: job, KIND: kind, OWNER: str(owner), DEADLINE: str(int(deadline))}


def _boot() -> str:
    space = Path("/proc/self/ns/pid").readlink().name.removeprefix("pid:").strip("[]")
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + _SPACE + space


def _hidden(pid: int) -> bool:
    """Whether a process of another user runs, of which ``/proc`` (``hidepid``) says nothing."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return not os.access(f"/proc/{pid}/stat", os.R_OK)
    except (ProcessLookupError, OverflowError):
        pass
    return False


def _start(pid: int) -> int | None:
    """When ``pid`` started, in clock ticks since boot; None if it does not run."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    after_name = text.rpartition(")")[2].split()
    return None if after_name[0] in "ZX" else int(after_name[19])
