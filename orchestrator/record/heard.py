"""What a listener of a run receives: the lines of its journals, and what is never written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.record.events import Event


@dataclass(frozen=True, slots=True)
class RunOpened:
    """A run's folder exists and its work begins."""

    folder: str
    kind: Literal["run_opened"] = "run_opened"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user."""

    text: str
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True)
class Sampled:
    """The share (0 to 1) of its work that a running job has done, or None."""

    scope: str
    share: float | None
    kind: Literal["sampled"] = "sampled"


@dataclass(frozen=True, slots=True)
class JobWaits:
    """A job waits for the run's room, and for a GPU if it has one."""

    scope: str
    kind: Literal["waiting"] = "waiting"


@dataclass(frozen=True, slots=True)
class JobStarts:
    """A job's program starts; ``left`` is about how many seconds the run has left, or None."""

    scope: str
    left: float | None
    kind: Literal["started"] = "started"


Moment = RunOpened | Notice | Sampled | JobWaits | JobStarts
"""What happens and is never written."""

Heard = Event | Moment
"""What a listener receives."""
