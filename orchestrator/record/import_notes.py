"""The note of what came from a results folder in place of being made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.core.papers import Review
from orchestrator.core.research import Run
from orchestrator.record.pins import StrictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported(StrictRecord):
    """The runs of a results folder of the AI Scientist, the baseline first: no container of this program
    measured them. ``idea_from`` is the file that has the idea, ``missing`` are (what, why).
    """

    note: Literal["imported"] = "imported"
    folder: str
    idea_from: str
    runs: tuple[Run, ...]
    reviews: tuple[Review, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
