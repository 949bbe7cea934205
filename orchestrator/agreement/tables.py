"""The two tables of a benchmark, read strictly: people's ratings, and a reviewer's reviews.

Their form is that of The AI Scientist's ``review_iclr_bench``: ratings in columns ``0``, ``1``, …
and a ``decision``; reviews with ``Overall`` and ``Decision``, whatever other columns there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.agreement.delimited import PlacedField, table_rows
from orchestrator.core.errors import BadFile
from orchestrator.core.files import plain_lines, utf8_text
from orchestrator.core.places import Place, Problem
from orchestrator.core.untrusted import NotPlain, read_plain

_MOST_BYTES = 64 << 20
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"\d{1,2}(\.\d{1,6})?")
BOTTOM, TOP = 1, 10
"""The scale of a rating and of an overall score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A paper as people judged it: ``accepted`` is None where no decision is known."""

    paper_id: str
    accepted: bool | None
    ratings: tuple[float, ...] = ()

    @property
    def rating(self) -> float | None:
        """The mean of its ratings, 1–10."""
        return sum(self.ratings) / len(self.ratings) if self.ratings else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A paper as the reviewer judged it: the overall score, 1–10, and whether it accepts."""

    paper_id: str
    overall: float | None
    accepts: bool | None


@dataclass(slots=True)
class _Sheet:
    """A table by the names of its columns, and each error found in it."""

    file: str
    columns: dict[str, int]
    rows: list[list[PlacedField]]
    problems: list[Problem] = field(default_factory=list)

    def cell(self, row: list[PlacedField], name: str) -> PlacedField:
        return row[self.columns[name]]

    def wrong(self, cell: PlacedField, key: str, what: str, todo: str) -> None:
        place = Place(self.file, cell.line, cell.column, key)
        self.problems.append(Problem(place, what, todo, "form"))

    def number(self, row: list[PlacedField], name: str) -> float | None:
        """A score from 1 to 10; None for an empty field and for an error."""
        cell = self.cell(row, name)
        text = cell.text.strip()
        if not text:
            return None
        if _NUMBER.fullmatch(text) and BOTTOM <= float(text) <= TOP:
            return float(text)
        self.wrong(cell, name, f"{text[:24]!r} is no score", "write 1 to 10, or nothing")
        return None

    def decision(self, row: list[PlacedField], name: str, unknown: str) -> bool | None:
        """Whether it says Accept; None for ``unknown`` and for an error."""
        cell = self.cell(row, name)
        text = cell.text.strip()
        for word, value in (("Accept", True), ("Reject", False)):
            if text == word or text.startswith(f"{word} ("):
                return value
        if text != unknown:
            form = f"write Accept, Reject or {unknown}" if unknown else "write Accept or Reject"
            self.wrong(cell, name, f"{text[:24]!r} is no decision", form)
        return None

    def checked(self) -> None:
        if self.problems:
            raise BadFile.listing(self.file, self.problems)


def read_ratings(path: Path) -> tuple[Rated, ...]:
    """The papers of a table of ratings, in its order. Raises :class:`BadFile` with every error."""
    sheet = _sheet(path, ("paper_id", "decision"))
    raters = [name for name in sheet.columns if name.isdecimal()]
    found = [
        Rated(
            paper_id=sheet.cell(row, "paper_id").text,
            accepted=sheet.decision(row, "decision", "Unknown"),
            ratings=tuple(r for name in raters if (r := sheet.number(row, name)) is not None),
        )
        for row in sheet.rows
    ]
    sheet.checked()
    return tuple(found)


def read_reviews(path: Path) -> tuple[Scored, ...]:
    """The papers of a table of reviews, in its order. Raises :class:`BadFile` with every error."""
    sheet = _sheet(path, ("paper_id", "Overall", "Decision"))
    found = [
        Scored(
            paper_id=sheet.cell(row, "paper_id").text,
            overall=sheet.number(row, "Overall"),
            accepts=sheet.decision(row, "Decision", ""),
        )
        for row in sheet.rows
    ]
    sheet.checked()
    return tuple(found)


def _sheet(path: Path, needed: tuple[str, ...]) -> _Sheet:
    """The table with its columns; a row of another length and a bad id are errors of it."""
    head, *rows = table_rows(_text(path), str(path)) or [[]]
    columns = {cell.text: number for number, cell in enumerate(head)}
    sheet = _Sheet(str(path), columns, [])
    place = head[0] if head else PlacedField("", 1, 1)
    for name in needed:
        if name not in columns:
            sheet.wrong(
                place,
                "",
                f"the column {name!r} is missing",
                f"name the columns {', '.join(needed)}",
            )
    for cell in head:
        if head[columns[cell.text]] is not cell:
            sheet.wrong(cell, "", f"a second column {cell.text[:40]!r}", "remove one of them")
    if head and not rows:
        sheet.wrong(place, "", "it has no paper", "add a line for each paper")
    sheet.checked()
    seen: dict[str, int] = {}
    for row in rows:
        if len(row) != len(head):
            sheet.wrong(
                row[0], "", f"{len(row)} fields, {len(head)} columns", "give each column a field"
            )
            continue
        sheet.rows.append(row)
        _check_id(sheet, sheet.cell(row, "paper_id"), seen)
    return sheet


def _check_id(sheet: _Sheet, cell: PlacedField, seen: dict[str, int]) -> None:
    if not _ID.fullmatch(cell.text):
        todo = "use letters, digits, _ and -"
        sheet.wrong(cell, "paper_id", f"{cell.text[:24]!r} is no id", todo)
    elif cell.text in seen:
        what = f"{cell.text!r} is on line {seen[cell.text]} already"
        sheet.wrong(cell, "paper_id", what, "keep one of the lines")
    seen.setdefault(cell.text, cell.line)


def _text(path: Path) -> str:
    try:
        data = read_plain(path, _MOST_BYTES)
    except (NotPlain, OSError) as error:
        why = str(error) if isinstance(error, NotPlain) else str(error.strerror or error)
        if isinstance(error, FileNotFoundError):
            why = "there is no such file"
        todo = "name a TSV or CSV file"
        raise BadFile("this table cannot be read", where=str(path), why=why, todo=todo) from error
    return plain_lines(utf8_text(data, "the table", str(path), BadFile))
