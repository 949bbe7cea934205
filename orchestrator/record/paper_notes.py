"""Notes about a paper's text: edits that were not used, sections that its template lacks, numbers that hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.record.pins import StrictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRefused(StrictRecord):
    """An edit of the paper that was not used."""

    note: Literal["edit_refused"] = "edit_refused"
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionAbsent(StrictRecord):
    """The template's paper lacks this section."""

    note: Literal["section_absent"] = "section_absent"
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsVerified(StrictRecord):
    """The number of verified numbers in the paper."""

    note: Literal["verified"] = "verified"
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceDoubted(StrictRecord):
    """A sentence that a reader doubted. ``kept``: its author left it as it was."""

    section: str
    sentence: str
    why: str
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencesDoubted(StrictRecord):
    """What a reader who did not write the paper doubted."""

    note: Literal["sentences_doubted"] = "sentences_doubted"
    doubts: tuple[SentenceDoubted, ...]
