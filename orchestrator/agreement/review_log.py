"""The reviews of one benchmark, one line of JSON each, so that an interrupted one goes on.

The first line says who reviews and of which ratings the papers are. A line is written and synced
when its review is complete; one that was torn when the machine stopped is cut off.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import BaseModel, Field, ValidationError

from orchestrator.agreement.tables import Scored
from orchestrator.core.errors import BadFile, ResultsExist, UserError
from orchestrator.core.files import disk_errors
from orchestrator.core.papers import Review
from orchestrator.core.strict_json import loads
from orchestrator.core.tree import canonical
from orchestrator.core.untrusted import read_plain

REVIEWS = "reviews.jsonl"
_MOST_BYTES = 256 << 20


class ReviewerLine(BaseModel, extra="forbid", frozen=True):
    """The first line. ``reviewer`` names all that decides a review; ``ratings`` is a SHA-256."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    reviewer: str
    ratings: str


class ReviewLine(BaseModel, extra="forbid", frozen=True):
    """A review of one paper; ``file`` is the SHA-256 of what was read."""

    paper_id: str
    file: str
    review: Review

    def scored(self) -> Scored:
        said = self.review.decision
        return Scored(
            paper_id=self.paper_id,
            overall=self.review.overall,
            accepts=said == "Accept" if said in {"Accept", "Reject"} else None,
        )


_Line = TypeVar("_Line", ReviewerLine, ReviewLine)


class ReviewLog:
    """The file ``reviews.jsonl`` of a folder, with what it holds already.

    Raises :class:`ResultsExist` if it is there and ``resume`` is not asked for, :class:`UserError`
    if it is of another reviewer or of other ratings, :class:`BadFile` for a line that is no review.
    """

    def __init__(self, folder: Path, first: ReviewerLine, *, resume: bool) -> None:
        self.path = folder / REVIEWS
        self._known: dict[str, ReviewLine] = {}
        if not self.path.exists():
            self._append(canonical(first.model_dump(by_alias=True)))
            return
        if not resume:
            raise ResultsExist(
                "there are reviews already",
                where=str(self.path),
                todo="go on with them with --resume, or name another folder",
            )
        self._read(first)

    def get(self, paper_id: str, file: str) -> ReviewLine | None:
        """The review of a paper, unless its file has changed since."""
        line = self._known.get(paper_id)
        return line if line and line.file == file else None

    def add(self, paper_id: str, file: str, review: Review) -> ReviewLine:
        """Write a review down, synced to disk."""
        line = ReviewLine(paper_id=paper_id, file=file, review=review)
        self._append(canonical({"paper_id": paper_id, "file": file, "review": asdict(review)}))
        self._known[paper_id] = line
        return line

    def _append(self, line: bytes) -> None:
        with disk_errors(self.path), self.path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self, first: ReviewerLine) -> None:
        data = read_plain(self.path, _MOST_BYTES)
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))
        lines = whole.removesuffix(b"\n").split(b"\n") if whole else []
        if not lines:
            self._append(canonical(first.model_dump(by_alias=True)))
            return
        began = self._parsed(ReviewerLine, lines[0], 1)
        if began.reviewer != first.reviewer:
            self._refuse("another reviewer", began.reviewer, first.reviewer)
        if began.ratings != first.ratings:
            self._refuse("other ratings", began.ratings, first.ratings)
        for number, line in enumerate(lines[1:], start=2):
            one = self._parsed(ReviewLine, line, number)
            self._known[one.paper_id] = one

    def _refuse(self, other: str, theirs: str, ours: str) -> NoReturn:
        raise UserError(
            f"these reviews are of {other}",
            where=str(self.path),
            why=f"it names {theirs[:200]!r}, this is {ours[:200]!r}",
            todo="name another folder, so that the two do not mix",
        )

    def _parsed(self, kind: type[_Line], line: bytes, number: int) -> _Line:
        try:
            return kind.model_validate(loads(line))
        except (ValueError, ValidationError) as error:
            raise BadFile(
                "this line is no review",
                where=f"{self.path}:{number}",
                why=str(error).splitlines()[0],
                todo="remove the line: its paper is reviewed again",
            ) from error
