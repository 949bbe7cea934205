"""Papers of JSON, in the form of a template's library; here, all but the title may be missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from orchestrator.core import strict_json
from orchestrator.core.literature import LONGEST_ABSTRACT, LONGEST_TITLE, MOST_AUTHORS, PaperRef
from orchestrator.core.places import Place, Problem
from orchestrator.core.problems import Wrong, explained
from orchestrator.literature.bibtex import loose
from orchestrator.literature.bibtex.bib_scan import position
from orchestrator.literature.bibtex.strict import BibEntry
from orchestrator.literature.bibtex.tex_text import as_tex, loose_text, tidy, trouble
from orchestrator.literature.citation_keys import citation_key
from orchestrator.literature.clean import harmless_line
from orchestrator.literature.paper_door import address, arxiv_of, doi_of
from orchestrator.literature.paper_ids import apart, ids_of

LONGEST_AUTHOR = 200
_Line = Annotated[str, Field(min_length=1, max_length=2000)]
_GAP = re.compile(r"[\s,]*+")
_TODO = 'write each paper as {"title": "…", "authors": ["…"], "year": 2020}'


class _Paper(BaseModel, extra="forbid", frozen=True, strict=True):
    """One paper of JSON."""

    title: _Line
    key: Annotated[str, Field(max_length=500)] = ""
    authors: Annotated[list[_Line], Field(max_length=10_000)] = []
    year: Annotated[int | None, Field(ge=1600, le=2200)] = None
    venue: Annotated[str, Field(max_length=2000)] = ""
    abstract: str = ""
    bibtex: Annotated[str, Field(max_length=20_000)] = ""
    doi: Annotated[str, Field(max_length=500)] = ""
    arxiv: Annotated[str, Field(max_length=200)] = ""
    url: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """A value of JSON, and where it begins."""

    value: Any
    at: int


def read_rows(text: str, file: str, *, lines: bool) -> tuple[list[PaperRef], list[Problem]]:
    """The papers of a list, or of ``lines`` with one each, and every error."""
    papers: list[PaperRef] = []
    problems: list[Problem] = []
    for row in _of_lines(text, file) if lines else _of_list(text, file):
        if isinstance(row, Problem):
            problems.append(row)
        elif isinstance(found := _paper(row.value), PaperRef):
            papers.append(found)
        else:
            line, column = position(text, row.at)
            for one in found:
                place = Place(file, line, column, ".".join(map(str, one.loc)))
                problems.append(Problem(place, one.what, one.todo, one.rule))
        if len(problems) >= loose.MOST_PROBLEMS or len(papers) > loose.MOST_READ:
            break
    return papers, problems


def _of_lines(text: str, file: str) -> Iterator[_Row | Problem]:
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            value = _json(line, file, number)
            yield value if isinstance(value, Problem) else _Row(value, at)
        at += len(line) + 1


def _of_list(text: str, file: str) -> Iterator[_Row | Problem]:
    value = _json(text, file, 1)
    if isinstance(value, Problem):
        yield value
    elif not isinstance(value, list):
        yield Problem(Place(file, 1, 1), "the file is not a list of papers", _TODO, "json")
    else:
        decoder, at = json.JSONDecoder(), text.index("[") + 1
        for one in value:
            gap = _GAP.match(text, at)
            at = gap.end() if gap else at
            yield _Row(one, at)
            at = decoder.raw_decode(text, at)[1]


def _json(text: str, file: str, line: int) -> Any:
    """The value of ``text``, which begins at ``line``, or what is wrong with it."""
    try:
        return strict_json.loads(text.encode())
    except ValueError as error:
        found = re.search(r" at line (\d+) column (\d+)", str(error))
        row, column = (int(found[1]), int(found[2])) if found else (1, 1)
        what = str(error).replace(found[0], "", 1) if found else str(error)
        return Problem(Place(file, line + row - 1, column), what, _TODO, "json")


def _paper(data: Any) -> PaperRef | tuple[Wrong, ...]:
    try:
        paper = _Paper.model_validate(data)
    except ValidationError as error:
        return explained(error, data, _Paper.model_json_schema)
    title = harmless_line(paper.title, LONGEST_TITLE)
    if not title:
        return (Wrong(("title",), "the title has no letters", "write a title"),)
    names = (harmless_line(name, LONGEST_AUTHOR) for name in paper.authors)
    authors = tuple(filter(None, names))[:MOST_AUTHORS]
    key = loose.legal_key(paper.key.strip())
    entry: BibEntry | None = None
    if paper.bibtex:
        given, wrong = loose.read_entries(paper.bibtex, "")
        if wrong or len(given) != 1 or (key and given[0].key != key):
            return tuple(_of_bibtex(key, wrong))
        entry = given[0]
    key = key or (entry.key if entry else citation_key(authors, paper.year, title))
    if entry is None and authors and paper.year is not None:
        entry = _simple_entry(key, title, authors, paper)
    return _with_ids(paper, entry, key, title, authors)


def _with_ids(
    paper: _Paper, entry: BibEntry | None, key: str, title: str, authors: tuple[str, ...]
) -> PaperRef:
    of_entry = ids_of(entry.get) if entry else ("", "")
    doi, arxiv = apart(doi_of(paper.doi) or of_entry[0], arxiv_of(paper.arxiv) or of_entry[1])
    return PaperRef(
        key=key,
        title=title,
        authors=authors,
        year=paper.year,
        venue=harmless_line(paper.venue, LONGEST_TITLE),
        abstract=harmless_line(paper.abstract, LONGEST_ABSTRACT),
        bibtex=entry.text() if entry and authors and paper.year is not None else "",
        source="library",
        doi=doi,
        arxiv=arxiv,
        url=address(paper.url),
    )


def _of_bibtex(key: str, wrong: Iterable[Problem]) -> Iterator[Wrong]:
    """What is wrong with the entry of BibTeX inside a paper."""
    found = [Wrong(("bibtex",), one.what, one.todo) for one in wrong]
    of_key = f" with the key {key!r}" if key else ""
    todo = "write one entry with the paper's key, or remove `bibtex`"
    yield from found or [Wrong(("bibtex",), f"`bibtex` is not one entry{of_key}", todo)]


def _simple_entry(key: str, title: str, authors: tuple[str, ...], paper: _Paper) -> BibEntry:
    """An entry made from the fields of a paper without `bibtex`."""
    fields = {"title": title, "author": " and ".join(authors), "year": str(paper.year)}
    if venue := harmless_line(paper.venue, LONGEST_TITLE):
        fields["journal"] = venue
    pairs = tuple((name, _printed(name, value)) for name, value in fields.items())
    return BibEntry("article" if venue else "misc", key, pairs)


def _printed(name: str, value: str) -> str:
    with_dollars = value.replace("$", r"\$")
    return as_tex(loose_text(value)) if trouble(with_dollars) else tidy(name, with_dollars)
