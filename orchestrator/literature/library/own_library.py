"""A library of one's own on this machine: papers that a person added, searched without a network.

Papers and queries come from outside: words are looked up, nothing is interpreted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.core.errors import UserError
from orchestrator.core.files import data_home
from orchestrator.core.literature import PaperRef, Query
from orchestrator.literature.bibtex.strict import KEY
from orchestrator.literature.library.base import Base, reading, writing
from orchestrator.literature.library.free_keys import FreeKeys, renamed
from orchestrator.literature.library.search_index import best_papers, indexed_words
from orchestrator.literature.library.stored_paper import cleaned, filled_in, from_row, stored_form
from orchestrator.literature.paper_ids import are_same, same_ids

MOST_PAPERS = 1_000_000
LONGEST_TEXT = 200_000  # characters of a paper's text that are searched
_DELETE = (
    "DELETE FROM words WHERE rowid = ?",
    "DELETE FROM titles WHERE rowid = ?",
    "DELETE FROM texts WHERE rowid = ?",
    "DELETE FROM papers WHERE id = ?",
)
_LIKELY = 20  # papers of one title that are compared


@dataclass(frozen=True, slots=True)
class Added:
    """How many papers were not there, were there as they are, and now say more than before."""

    new: int = 0
    known: int = 0
    replaced: int = 0


class OwnLibrary:
    """Papers in a file of SQLite; several processes may search while one adds."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or data_home() / "literature" / "library.sqlite3"

    def __len__(self) -> int:
        with reading(self.path) as base:
            return _count(base) if base else 0

    def add(self, papers: Iterable[tuple[PaperRef, str]]) -> Added:
        """Store papers, each with its text for the search, all of them or, on an error, none."""
        ready = [(cleaned(paper), text[:LONGEST_TEXT]) for paper, text in papers]
        with writing(self.path) as base:
            adding = _Adding(base, self.path)
            done = [adding.one(paper, text) for paper, text in ready]
        return Added(done.count("new"), done.count("known"), done.count("replaced"))

    def remove(self, key: str) -> bool:
        """Remove the paper of that key; False if there is none."""
        with reading(self.path) as base:
            if base is None or not KEY.fullmatch(key):
                return False
        with writing(self.path) as base:
            found = base.execute("SELECT id FROM papers WHERE key = ?", (key,)).fetchone()
            if found:
                _delete(base, found[0])
            return found is not None

    def papers(self, limit: int = 100, offset: int = 0) -> tuple[PaperRef, ...]:
        """The papers in the order of their keys."""
        sql = "SELECT key, body FROM papers ORDER BY key LIMIT ? OFFSET ?"
        numbers = [min(max(number, 0), MOST_PAPERS) for number in (limit, offset)]
        with reading(self.path) as base:
            return tuple(from_row(*row) for row in base.execute(sql, numbers)) if base else ()

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        """At most ``query.limit`` papers with words of the query, best first, equal ones by key."""
        with reading(self.path) as base:
            return best_papers(base, query) if base else ()


class _Adding:
    """One transaction that adds papers."""

    def __init__(self, base: Base, path: Path) -> None:
        self._base, self._path = base, path
        self._keys = FreeKeys(lambda key: self._number(key) is not None)
        self._count = _count(base)

    def one(self, paper: PaperRef, text: str) -> Literal["new", "known", "replaced"]:
        spoken = " ".join(indexed_words(text))
        known = self._same(paper)
        if known is None:
            self._store(None, paper, spoken)
            return "new"
        number, stored = known
        sql = "SELECT text FROM texts WHERE rowid = ?"
        before = next(iter(self._base.execute(sql, (number,))), ("",))[0]
        whole = filled_in(stored, paper)
        if whole == stored and len(spoken) <= len(before):
            return "known"
        self._store(number, whole, max(spoken, before, key=len))
        return "replaced"

    def _same(self, paper: PaperRef) -> tuple[int, PaperRef] | None:
        """Number and record of the same paper, if the library has it."""
        for column, value in zip(("doi", "arxiv", "title"), _names(paper), strict=True):
            sql = f"SELECT id, key, body FROM papers WHERE {column} = ? AND {column} != '' LIMIT ?"  # noqa: S608
            for number, *row in self._base.execute(sql, (value, _LIKELY)).fetchall():
                stored = from_row(*row)
                if are_same(stored, paper):
                    return number, stored
        return None

    def _store(self, number: int | None, paper: PaperRef, text: str) -> None:
        if number is None:
            self._count += 1
            if self._count > MOST_PAPERS:
                raise UserError(
                    f"a library has at most {MOST_PAPERS:,} papers; none of these was added",
                    where=str(self._path),
                    todo="remove papers, or keep a library of another topic in a file of its own",
                )
        else:
            _delete(self._base, number)
        key = self._keys.free(paper.key)
        paper = paper if key == paper.key else renamed(paper, key)
        sql = "INSERT INTO papers (id, key, doi, arxiv, title, body) VALUES (?, ?, ?, ?, ?, ?)"
        new = self._base.execute(sql, (number, key, *_names(paper), stored_form(paper))).lastrowid
        said = [
            " ".join(indexed_words(one)) for one in (paper.title, _people(paper), paper.abstract)
        ]
        sql = "INSERT INTO words (rowid, title, authors, abstract) VALUES (?, ?, ?, ?)"
        self._base.execute(sql, (new, *said))
        self._base.execute("INSERT INTO titles (rowid, title) VALUES (?, ?)", (new, said[0]))
        if text:
            self._base.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (new, text))

    def _number(self, key: str) -> int | None:
        found = self._base.execute("SELECT id FROM papers WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None


def _names(paper: PaperRef) -> tuple[str, str, str]:
    """What the library finds the same paper by."""
    return paper.doi, paper.arxiv, same_ids(paper)[-1]


def _people(paper: PaperRef) -> str:
    return " ".join((*paper.authors, paper.venue))


def _delete(base: Base, number: int) -> None:
    for sql in _DELETE:
        base.execute(sql, (number,))


def _count(base: Base) -> int:
    return int(base.execute("SELECT count(*) FROM papers").fetchone()[0])
