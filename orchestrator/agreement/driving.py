"""Asks a reviewer for each rated paper once, and keeps each review before the next is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from orchestrator.agreement.joining import Uncounted
from orchestrator.agreement.review_log import ReviewLog
from orchestrator.agreement.tables import Rated, Scored
from orchestrator.core.errors import (
    AisciError,
    BadFile,
    IdeaFailed,
    KeyRefused,
    ModelBusy,
    ModelFailed,
    UserError,
)
from orchestrator.core.papers import Review
from orchestrator.core.untrusted import file_hash

PAPER_KINDS = (".pdf", ".txt")
"""Files of papers; a PDF goes before a text of the same name."""
OF_ONE_PAPER = (BadFile, ModelFailed, IdeaFailed)
"""What ends the review of one paper; any other error ends the benchmark, which can go on later."""


def paper_files(folder: Path) -> dict[str, Path]:
    """Paper id → its file ``ID.pdf`` or ``ID.txt`` in ``folder``; no link is followed.

    Raises :class:`UserError` if ``folder`` is none.
    """
    if not folder.is_dir():
        raise UserError(
            "there is no such folder",
            where=str(folder),
            todo="name a folder of papers, each as ID.pdf or ID.txt",
        )
    with os.scandir(folder) as entries:
        plain = sorted(one.name for one in entries if one.is_file(follow_symlinks=False))
    found: dict[str, Path] = {}
    for kind in reversed(PAPER_KINDS):
        found |= {name.removesuffix(kind): folder / name for name in plain if name.endswith(kind)}
    return found


def review_papers(
    rated: Sequence[Rated],
    files: Mapping[str, Path],
    log: ReviewLog,
    review: Callable[[Path], Review],
    say: Callable[[str], None] = lambda _: None,
) -> tuple[tuple[Scored, ...], tuple[Uncounted, ...]]:
    """The review of each paper that has a decision of people and a file, in the order of ``rated``,
    from ``log`` where it is there; and the papers that got none, which a later call asks for again.
    """
    scored: list[Scored] = []
    out: list[Uncounted] = []
    for number, paper in enumerate(rated, start=1):
        if paper.accepted is None:
            continue  # no metric could count it
        path = files.get(paper.paper_id)
        sha256 = file_hash(path) if path else ""
        if path is None or not sha256:
            why = "its file cannot be read" if path else "it has no file"
            out.append(Uncounted(paper.paper_id, why))
            continue
        line = log.get(paper.paper_id, sha256)
        if line is None:
            say(f"{paper.paper_id} ({number} of {len(rated)})")
            try:
                line = log.add(paper.paper_id, sha256, review(path))
            except (KeyRefused, ModelBusy):  # so would be the next paper
                raise
            except OF_ONE_PAPER as error:
                out.append(_failed(paper.paper_id, error))
                continue
        scored.append(line.scored())
    return tuple(scored), tuple(out)


def _failed(paper_id: str, error: AisciError) -> Uncounted:
    detail = ": ".join(filter(None, (error.what, error.why)))
    return Uncounted(paper_id, "it could not be reviewed", detail)
