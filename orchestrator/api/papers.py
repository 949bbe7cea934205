"""Checking a paper by its record: a run's idea, or a folder in the AI Scientist's format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.held_papers import HeldPaper
from orchestrator.api.paper_sources import held_paper, source_of_idea
from orchestrator.report.reading import IdeaFacts
from orchestrator.research.claims.check import Checked, check_source


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCheck:
    """Every sentence of a paper; ``by_reference``: its numbers were printed by the program. ``left_out`` and
    ``differs`` are those of :class:`HeldPaper`.
    """

    source: str
    sentences: tuple[Checked, ...]
    by_reference: bool
    left_out: tuple[tuple[str, str], ...] = ()
    differs: str = ""

    @property
    def wrong(self) -> tuple[Checked, ...]:
        """The sentences that no result carries."""
        return tuple(one for one in self.sentences if one.problems)

    @property
    def whole(self) -> bool:
        """Whether all of the paper and its results was read, and the file on disk is what was checked."""
        return not self.left_out and not self.differs

    @property
    def numbers(self) -> int:
        """How many numbers have a source."""
        return sum(len(one.traced) for one in self.sentences)


def check_paper(folder: Path, scale: str = "", results: Path | None = None) -> PaperCheck:
    """Hold a paper to the results beside it; the arguments are those of :func:`held_paper`. Raises
    :class:`UnknownName` if there is no paper.
    """
    return check_held(held_paper(folder, scale, results))


def check_held(paper: HeldPaper) -> PaperCheck:
    """Hold a paper that was found to its results."""
    found = check_source(paper.tex, paper.ledger, strict=paper.by_reference)
    sentences = (*paper.changed, *found)
    return PaperCheck(
        source=paper.source,
        sentences=sentences,
        by_reference=paper.by_reference,
        left_out=paper.left_out,
        differs=paper.differs,
    )


def check_source_of(facts: IdeaFacts, tex: str) -> PaperCheck:
    """A source held to an idea's record: its sentences, and the tables that the program prints."""
    return check_held(source_of_idea(facts, tex))
