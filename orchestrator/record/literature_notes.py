"""Notes of what was searched for, judged, cited and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.core.literature import CheckedReference
from orchestrator.core.research import Citation, Novelty
from orchestrator.record.pins import StrictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyJudged(StrictRecord):
    """What the searches and the model came to."""

    note: Literal["novelty"] = "novelty"
    novelty: Novelty


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyOverruled(StrictRecord):
    """What a person decided in ``ideas.json`` instead."""

    note: Literal["novelty_overruled"] = "novelty_overruled"
    novelty: Novelty


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaSkipped(StrictRecord):
    """An idea that is not novel and was not pursued."""

    note: Literal["skipped"] = "skipped"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citable(StrictRecord):
    """The BibTeX keys that the paper may cite."""

    note: Literal["citable"] = "citable"
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationsChosen(StrictRecord):
    """Papers that were chosen for the reference list, and why; ``refused`` are choices that were not used."""

    note: Literal["citations_chosen"] = "citations_chosen"
    citations: tuple[Citation, ...]
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencesChecked(StrictRecord):
    """What registries say of each reference of the paper."""

    note: Literal["references_checked"] = "references_checked"
    references: tuple[CheckedReference, ...]


LiteratureNote = (
    NoveltyJudged | NoveltyOverruled | IdeaSkipped | Citable | CitationsChosen | ReferencesChecked
)
