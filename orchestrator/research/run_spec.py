"""What a run is made of: its set-up, where it is recorded, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Listener, Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.pins import BaselinePin, ProofPin
from orchestrator.record.ports import Edges
from orchestrator.research.pipeline import PursuedIdea
from orchestrator.template.manifest import StagedData
from orchestrator.template.template import Template


class Exporter(Protocol):
    """Writes what is made from a finished journal; joined by the command."""

    def idea(self, output: IdeaPaths, journal: Journal, outcome: PursuedIdea) -> None:
        """Write one idea's evidence, history, review and report."""

    def run(self, place: Any, journal: Journal, outcomes: tuple[PursuedIdea, ...]) -> None:
        """Write the run's own report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """What a run is made of. ``images`` maps an image name to the id that it resolved to.

    ``proof`` is the latest proof of its policy, ``baseline`` a kept one that the run starts from.
    """

    template: Template
    policy: Policy
    model: str
    author: str
    scale: str
    ideas: int
    images: tuple[tuple[str, str], ...]
    prices: tuple[tuple[str, float], ...] = ()
    data: tuple[StagedData, ...] = ()
    proof: ProofPin | None = None
    baseline: BaselinePin | None = None

    @property
    def mounts(self) -> tuple[tuple[str, str], ...]:
        """(name, hash) of each data set, as jobs ask for them."""
        return tuple((one.name, one.hash) for one in self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLocation:
    """Where a run is recorded, and where its files are written (elsewhere in a replay)."""

    record: RunPaths
    output: RunPaths
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDeps:
    """What the command joins to the core: edges over a blob store, and a saver of files."""

    edges: Callable[[BlobStore], Edges]
    saving: Exporter
    listener: Listener
