"""Which papers of a library of one's own answer a query, best first.

A search ranks a bounded number of papers, so that words which nearly every paper holds do not make it slow:
all papers with any of the words if those are few, else papers with all words, then with the rarer ones.
"""

from __future__ import annotations

import heapq
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from orchestrator.core.literature import LONGEST_QUERY, PaperRef, Query
from orchestrator.literature.library.base import Base, the_row
from orchestrator.literature.library.stored_paper import from_row
from orchestrator.literature.words import words

_LONGEST_WORD = 64
_MOST_WORDS = 12  # of a query
_MOST_FOUND = 1000
_ALL_RANKED = 10_000  # papers that are ranked together
_SOME_RANKED = 2000  # papers of one step, where more hold the words; the first added count

_WORDS = "SELECT rowid, bm25(words, 8.0, 2.0, 3.0) FROM words WHERE words MATCH ? LIMIT ?"
_TEXTS = "SELECT rowid, bm25(texts) / 2 FROM texts WHERE texts MATCH ? LIMIT ?"
_TITLES = "SELECT rowid, bm25(titles) FROM titles WHERE titles MATCH ? LIMIT ?"
_COUNTS = (
    "SELECT doc FROM words_counts WHERE term = ?",
    "SELECT doc FROM texts_counts WHERE term = ?",
)


def indexed_words(text: str) -> list[str]:
    """The words of ``text``, without accents."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in plain if not unicodedata.combining(char))
    return [word[:_LONGEST_WORD] for word in words(text)]


def best_papers(base: Base, query: Query) -> tuple[PaperRef, ...]:
    """At most ``query.limit`` papers that share a word with the query; equal ones by key."""
    asked = sorted(set(indexed_words(query.text[:LONGEST_QUERY])))[:_MOST_WORDS]
    limit = min(query.limit, _MOST_FOUND)
    if limit < 1:
        return ()
    counted = sorted((_holders(base, word), word) for word in asked)
    found: dict[int, None] = {}
    for ranks, expression, most in _steps([(count, word) for count, word in counted if count]):
        if len(found) >= limit:
            break
        found |= dict.fromkeys(_ranked(base, ranks, expression, most, limit + len(found)))
    return tuple(_paper(base, number) for number in list(found)[:limit])


def _holders(base: Base, word: str) -> int:
    rows = [base.execute(sql, (word,)).fetchone() for sql in _COUNTS]
    return sum(int(row[0]) for row in rows if row)


def _steps(counted: list[tuple[int, str]]) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Rankings, expression of FTS5 and how many papers are ranked, the most telling step first;
    ``counted`` has the rarest word first.
    """
    if sum(count for count, _ in counted) <= _ALL_RANKED:
        if counted:
            yield (_WORDS, _TEXTS), _any(counted), _ALL_RANKED
        return
    if counted[0][0] > _SOME_RANKED:
        yield (_TITLES,), _all(counted), _SOME_RANKED
    if len(counted) > 1:
        yield (_WORDS, _TEXTS), _all(counted), _SOME_RANKED
    rare: list[tuple[int, str]] = []
    for count, word in counted:
        if sum(before for before, _ in rare) + count <= _ALL_RANKED:
            rare.append((count, word))
    if rare:
        yield (_WORDS, _TEXTS), _any(rare), _ALL_RANKED
        return
    yield (_WORDS, _TEXTS), _all(counted[:2]), _SOME_RANKED
    yield (_WORDS, _TEXTS), _all(counted[:1]), _SOME_RANKED


def _any(counted: list[tuple[int, str]]) -> str:
    return " OR ".join(_quoted(word) for _, word in counted)


def _all(counted: list[tuple[int, str]]) -> str:
    return " AND ".join(_quoted(word) for _, word in counted)


def _quoted(word: str) -> str:
    """A word as data: between quotes, FTS5 has no syntax but the quote."""
    return '"' + word.replace('"', '""') + '"'


def _ranked(
    base: Base, ranks: tuple[str, ...], expression: str, most: int, limit: int
) -> list[int]:
    """Numbers of the best papers for one expression, by the sum of ``ranks``; equal ones by key."""
    scored: defaultdict[int, float] = defaultdict(float)
    for sql in ranks:
        for row, score in base.execute(sql, (expression, most)):
            scored[row] += score
    if not scored:
        return []
    worst = heapq.nsmallest(limit, scored.values())[-1]
    tied = [(score, _key(base, row), row) for row, score in scored.items() if score <= worst]
    return [row for _, _, row in sorted(tied)[:limit]]


def _key(base: Base, number: int) -> str:
    return str(the_row(base, "SELECT key FROM papers WHERE id = ?", number)[0])


def _paper(base: Base, number: int) -> PaperRef:
    return from_row(*the_row(base, "SELECT key, body FROM papers WHERE id = ?", number))
