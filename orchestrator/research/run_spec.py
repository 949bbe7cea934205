"""The inputs of a run: its specification, its location, and its dependencies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Listener, Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.pins import BaselinePin, DataPin, ProofPin
from orchestrator.record.ports import Edges
from orchestrator.research.pipeline import PursuedIdea
from orchestrator.template.template import Template


class Exporter(Protocol):
    """Writes the files that are made from a finished journal."""

    def idea(self, output: IdeaPaths, journal: Journal, outcome: PursuedIdea) -> None:
        """Write one idea's evidence, history, review and report."""

    def run(self, location: Any, journal: Journal, outcomes: tuple[PursuedIdea, ...]) -> None:
        """Write the run's own report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """The specification of a run. ``images`` maps image names to resolved ids. ``proof`` is the
    latest proof of its policy, ``baseline`` a cached one that the run starts from.
    """

    template: Template
    policy: Policy
    model: str
    author: str
    scale: str
    ideas: int
    images: tuple[tuple[str, str], ...]
    prices: tuple[tuple[str, float], ...] = ()
    data: tuple[DataPin, ...] = ()
    proof: ProofPin | None = None
    baseline: BaselinePin | None = None

    @property
    def mounts(self) -> tuple[tuple[str, str], ...]:
        """(name, hash) of each data set, for jobs."""
        return tuple((data.name, data.hash) for data in self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLocation:
    """The folder of a run's record, and of its files (another one in a replay)."""

    record: RunPaths
    output: RunPaths
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDeps:
    """The dependencies of a run: its edges, for a blob store, and the exporter of files."""

    edges: Callable[[BlobStore], Edges]
    exporter: Exporter
    listener: Listener
