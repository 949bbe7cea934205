"""A local library of papers: a file of BibTeX or JSON, searched by words, without a network.

A JSON library is a list of ``{"key", "title", "authors", "year", "venue", "abstract", "bibtex"}``;
``bibtex`` is optional. Texts are untrusted data: bounded, checked, never interpreted.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from orchestrator.core.errors import BadFile, listed
from orchestrator.core.files import utf8_text
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.problems import Form, explained, row
from orchestrator.literature.bibtex.strict import KEY, BibEntry, entries
from orchestrator.literature.bibtex.tex_text import check_field, plain_text
from orchestrator.literature.paper_ids import ids_of
from orchestrator.literature.words import words

_MAX_BYTES = 16 * 2**20
MAX_PAPERS = 20_000
K1, B = 1.5, 0.75
"""BM25's usual constants: the saturation of repeated words, the penalty of long texts."""

_Line = Annotated[str, Field(min_length=1, max_length=500)]


class _Paper(BaseModel, extra="forbid", frozen=True, strict=True):
    """One paper of a JSON library."""

    key: Annotated[
        str,
        Form(
            f"^{KEY.pattern}$",
            "keys have up to 64 letters, digits, `:`, `_` and `-`, and begin with a letter or digit: {!r}",
            "rename it",
        ),
    ]
    title: _Line
    authors: Annotated[list[_Line], Field(min_length=1, max_length=200)]
    year: Annotated[int, Field(ge=1600, le=2200)]
    venue: Annotated[str, Field(max_length=500)] = ""
    abstract: Annotated[str, Field(max_length=10_000)] = ""
    bibtex: Annotated[str, Field(max_length=20_000)] = ""


_PAPERS: TypeAdapter[list[_Paper]] = TypeAdapter(
    Annotated[list[_Paper], Field(max_length=MAX_PAPERS)]
)


class LocalLibrary:
    """Implements :class:`orchestrator.core.protocols.Literature` over papers held in memory. Ranked
    by BM25 over title (twice), abstract, authors and venue; equal scores by key, so that the same
    query always gets the same answer.
    """

    def __init__(self, papers: Iterable[PaperRef]) -> None:
        self.papers = tuple(sorted(papers, key=lambda paper: paper.key))
        texts = [
            (one.title, one.title, one.abstract, *one.authors, one.venue) for one in self.papers
        ]
        self._bags = [Counter(words(" ".join(text))) for text in texts]
        self._lengths = [bag.total() for bag in self._bags]
        self._holders = Counter(word for bag in self._bags for word in bag)

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> LocalLibrary:
        """The library in a file called ``name``, ``*.bib`` or ``*.json``. Raises :class:`BadFile`."""
        if len(data) > _MAX_BYTES:
            raise BadFile(
                "a library is too large",
                where=name,
                why=f"more than {_MAX_BYTES} bytes",
                todo="split it into several files",
            )
        if name.endswith(".json"):
            found = _from_json(name, data)
        elif name.endswith(".bib"):
            text = utf8_text(data, "a library", name, BadFile)
            found = [_from_entry(entry, name) for entry in entries(text, name)]
        else:
            raise BadFile(
                "a library must be a .bib or a .json file",
                where=name,
                todo="export the papers as BibTeX, to a file that ends in .bib",
            )
        papers: dict[str, PaperRef] = {}
        for paper in found:
            before = papers.setdefault(paper.key, paper)
            if before.title != paper.title:
                raise BadFile(
                    f"the key {paper.key!r} names two papers",
                    where=name,
                    why=f"{before.title[:80]!r} and {paper.title[:80]!r}",
                    todo="give one of them another key",
                )
        if len(papers) > MAX_PAPERS:
            raise BadFile(
                f"the library has more than {MAX_PAPERS} papers",
                where=name,
                todo="use a smaller library, with the papers of one topic",
            )
        return cls(papers.values())

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        """At most ``query.limit`` papers that share a word with the query, best first."""
        asked = sorted(set(words(query.text)))
        scored = [(self._score(asked, index), paper) for index, paper in enumerate(self.papers)]
        # The papers are sorted by key, and sorting is stable: equal scores stay in that order.
        matching = sorted((row for row in scored if row[0] > 0), key=lambda row: -row[0])
        return tuple(paper for _, paper in matching[: max(query.limit, 0)])

    def _score(self, asked: list[str], index: int) -> float:
        bag, count = self._bags[index], len(self.papers)
        mean = sum(self._lengths) / count
        penalty = K1 * (1 - B + B * self._lengths[index] / mean)
        total = 0.0
        for word in asked:
            weight = math.log(1 + (count - self._holders[word] + 0.5) / (self._holders[word] + 0.5))
            total += weight * bag[word] * (K1 + 1) / (bag[word] + penalty)
        return total


def _from_json(name: str, data: bytes) -> list[PaperRef]:
    try:
        papers = _PAPERS.validate_json(data)
    except ValidationError as problem:
        found = explained(problem, _data(data), _PAPERS.json_schema)
        first = ".".join(str(part) for part in found[0].loc)
        raise BadFile(
            "a library does not have the required form",
            where=f"{name}: {first}" if first else name,
            why=listed([row(problem) for problem in found]),
            todo="write a list of papers, each with key, title, authors (a list) and year (a number)",
        ) from problem
    return [_from_paper(paper, name) for paper in papers]


def _data(raw: bytes) -> Any:
    """The JSON in ``raw``; None where it is not JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _from_paper(paper: _Paper, name: str) -> PaperRef:
    where = f"{name}: {paper.key}"
    given = list(entries(paper.bibtex, where)) if paper.bibtex else [_simple_entry(paper, where)]
    if len(given) != 1 or given[0].key != paper.key:
        raise BadFile(
            f"`bibtex` is not one entry with the key {paper.key!r}",
            where=where,
            todo="write one entry with the paper's key, or remove `bibtex`",
        )
    doi, arxiv = ids_of(given[0].get)
    return PaperRef(
        key=paper.key,
        title=paper.title,
        authors=tuple(paper.authors),
        year=paper.year,
        venue=paper.venue,
        abstract=paper.abstract,
        bibtex=given[0].text(),
        source="template",
        doi=doi,
        arxiv=arxiv,
    )


def _simple_entry(paper: _Paper, where: str) -> BibEntry:
    """An entry made from the fields of a paper without `bibtex`."""
    fields = {"title": paper.title, "author": " and ".join(paper.authors), "year": str(paper.year)}
    if paper.venue:
        fields["journal"] = paper.venue
    plain = {name: value.replace("$", r"\$") for name, value in fields.items()}
    pairs = tuple((name, check_field(name, value, where)) for name, value in plain.items())
    return BibEntry("article" if paper.venue else "misc", paper.key, pairs)


def _from_entry(entry: BibEntry, name: str) -> PaperRef:
    year = re.search(r"\d{4}", entry.get("year"))
    if not entry.get("title") or not entry.get("author") or year is None:
        lacks = [key for key in ("title", "author") if not entry.get(key)]
        lacks += ["year"] if year is None else []
        raise BadFile(
            f"an entry has no {' and no '.join(lacks)}",
            where=f"{name}: {entry.key}",
            todo="add: " + ", ".join(f"{key} = {{…}}" for key in lacks),
        )
    doi, arxiv = ids_of(entry.get)
    venue = entry.get("booktitle") or entry.get("journal") or entry.get("publisher")
    return PaperRef(
        key=entry.key,
        title=plain_text(entry.get("title")),
        authors=tuple(plain_text(author) for author in re.split(r"\s+and\s+", entry.get("author"))),
        year=int(year[0]),
        venue=plain_text(venue),
        abstract=plain_text(entry.get("abstract")),
        bibtex=entry.text(),
        source="template",
        doi=doi,
        arxiv=arxiv,
    )
