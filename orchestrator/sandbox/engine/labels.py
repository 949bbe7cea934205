"""Labels that name the owner of every container and volume that aisci creates."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RUN, JOB, KIND = "aisci.run", "aisci.job", "aisci.kind"
OWNER, DEADLINE = "aisci.owner", "aisci.deadline"

_SPACE = "@"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process by boot, PID and start time: PIDs are reused.

    ``boot`` also names the PID namespace in which the PID is valid.
    """

    boot: str
    pid: int
    start: int

    @classmethod
    def me(cls) -> Owner:
        return cls(_boot(), os.getpid(), process_start(os.getpid()) or 0)

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner that a label names; None if the label is malformed."""
        parts = text.split(":")
        if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]))

    def __str__(self) -> str:
        return f"{self.boot}:{self.pid}:{self.start}"

    @property
    def alive(self) -> bool:
        """Whether this very process still runs, on this machine since this boot.

        Also true where that cannot be known: in another container, or hidden from this user.
        """
        (boot, _, space), (here, _, own) = self.boot.partition(_SPACE), _boot().partition(_SPACE)
        if boot != here or (space and space != own):
            return boot == here
        start = process_start(self.pid)
        return self.start == start or (start is None and _hidden(self.pid))


def _boot() -> str:
    space = Path("/proc/self/ns/pid").readlink().name.removeprefix("pid:").strip("[]")
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + _SPACE + space


def _hidden(pid: int) -> bool:
    """Whether a process of another user runs that ``/proc`` does not show (``hidepid``)."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return not os.access(f"/proc/{pid}/stat", os.R_OK)
    except (ProcessLookupError, OverflowError):
        pass
    return False


def process_start(pid: int) -> int | None:
    """When ``pid`` started, in clock ticks since boot; None if it does not run."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    after_name = text.rpartition(")")[2].split()
    return None if after_name[0] in "ZX" else int(after_name[19])
