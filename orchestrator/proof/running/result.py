"""What a probe with its other half in this process gives: both answers, and the container."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.job import ContainerKind
from orchestrator.proof.observation import Attempt, Seen
from orchestrator.proof.probe import Probe
from orchestrator.proof.running.runner import Trials

Both = tuple[Seen, Seen, str]
"""What was seen bare and guarded, and the guarded container's id."""

Way = Callable[[Trials, ContainerKind, Probe], Both]


def told(name: str, *, through: bool, saw: str) -> Seen:
    """One attempt, as the host itself saw it."""
    return Seen(attempts=(Attempt(name, through, saw),), done=True)
