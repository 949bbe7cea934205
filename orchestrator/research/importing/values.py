"""The values of an imported study: what a results folder of the AI Scientist says."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.papers import Review
from orchestrator.core.research import Figure, Idea, Run
from orchestrator.template.results import Results


@dataclass(frozen=True, slots=True)
class SplitPaper:
    """``skeleton`` with placeholders, and the texts in their place. ``kept`` are headings of sections that
    stay as they are, since a paper of ours has none such.
    """

    skeleton: str
    sections: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedContent:
    """What the results folder called ``folder`` says. ``idea_from`` is the file that has the idea; ``runs`` begin with the
    baseline, where it has results. ``paper`` is the source in sections, ``pdf`` the SHA-256 of the PDF as it
    came. ``missing`` are (what, why).
    """

    folder: str
    idea: Idea
    idea_from: str
    notes: str
    runs: tuple[Run, ...]
    results: tuple[tuple[int, Results], ...]
    figures: tuple[Figure, ...]
    paper: SplitPaper | None
    pdf: str
    reviews: tuple[Review, ...]
    missing: tuple[tuple[str, str], ...]
