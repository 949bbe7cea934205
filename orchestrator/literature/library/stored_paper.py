"""A paper as a library of one's own stores it: harmless, bounded, and filled in by later records of it."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, replace

from orchestrator.core.literature import (
    LONGEST_ABSTRACT,
    LONGEST_TITLE,
    MOST_AUTHORS,
    PaperRef,
)
from orchestrator.literature.bibtex.loose import legal_key
from orchestrator.literature.bibtex.strict import KEY
from orchestrator.literature.citation_keys import citation_key
from orchestrator.literature.clean import harmless_line
from orchestrator.literature.library.free_keys import renamed

_LONGEST_NAME = 200
_LONGEST_ID = 500
_LONGEST_ENTRY = 30_000
_MOST_CITATIONS = 10**9


class Damaged(Exception):
    """What is stored is no paper."""


def cleaned(paper: PaperRef) -> PaperRef:
    """``paper`` within the library's bounds, under a legal key."""
    title = harmless_line(paper.title, LONGEST_TITLE) or "(no title)"
    names = (harmless_line(name, _LONGEST_NAME) for name in paper.authors[:MOST_AUTHORS])
    authors = tuple(filter(None, names))
    year = paper.year if paper.year is not None and 0 < paper.year < 10_000 else None
    entry = paper.bibtex if len(paper.bibtex) <= _LONGEST_ENTRY else ""
    known = paper.citations is not None and 0 <= paper.citations < _MOST_CITATIONS
    clean = replace(
        paper,
        title=title,
        authors=authors,
        year=year,
        venue=harmless_line(paper.venue, LONGEST_TITLE),
        abstract=harmless_line(paper.abstract, LONGEST_ABSTRACT),
        bibtex="".join(
            c for c in entry if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}
        ),
        source="library",
        doi=_id(paper.doi).lower(),
        citations=paper.citations if known else None,
        arxiv=_id(paper.arxiv),
        openalex=_id(paper.openalex),
        s2=_id(paper.s2),
        url=_id(paper.url),
        pdf=_id(paper.pdf),
    )
    key = legal_key(paper.key.strip()) or citation_key(authors, year, title)
    return clean if KEY.fullmatch(paper.key) else renamed(clean, key)


def filled_in(stored: PaperRef, later: PaperRef) -> PaperRef:
    """One record of both. The one with an entry of BibTeX leads; the other fills in what it lacks."""
    lead, other = (later, stored) if later.bibtex and not stored.bibtex else (stored, later)
    empty = {
        name: getattr(other, name)
        for name in ("authors", "venue", "doi", "arxiv", "openalex", "s2", "url", "pdf")
        if not getattr(lead, name)
    }
    counts = [one.citations for one in (stored, later) if one.citations is not None]
    return replace(
        lead,
        year=other.year if lead.year is None else lead.year,
        abstract=max(stored.abstract, later.abstract, key=len),
        citations=max(counts, default=None),
        retracted=stored.retracted or later.retracted,
        **empty,
    )


def stored_form(paper: PaperRef) -> str:
    """The paper as the library writes it, without its key."""
    return json.dumps({name: value for name, value in asdict(paper).items() if name != "key"})


def from_row(key: str, written: str) -> PaperRef:
    """The paper that :func:`stored_form` wrote. Raises :class:`Damaged`."""
    try:
        fields = json.loads(written)
        paper = PaperRef(**{**fields, "key": key, "authors": tuple(fields["authors"])})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Damaged(f"what is stored under {key!r} is no paper") from error
    return paper


def _id(text: str) -> str:
    return harmless_line(text, _LONGEST_ID)
