"""The result of a probe whose other half is this process: bare, guarded, and the container."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.job import ContainerKind
from orchestrator.proof.observation import Attempt, Observation
from orchestrator.proof.probe import Probe
from orchestrator.proof.running.runner import ProbeRunner

BareAndGuarded = tuple[Observation, Observation, str]
"""What was seen bare and guarded, and the guarded container's id."""

HostProbe = Callable[[ProbeRunner, ContainerKind, Probe], BareAndGuarded]


def one_attempt(name: str, *, through: bool, saw: str) -> Observation:
    """One attempt, as the host observed it."""
    return Observation(attempts=(Attempt(name, through, saw),), done=True)
