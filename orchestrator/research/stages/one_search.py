"""One search of a stage: what it adds to the papers that are known, and how a model is told of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from orchestrator.core.literature import LONGEST_QUERY, PaperRef, Query
from orchestrator.core.research import Searched
from orchestrator.literature.merging import gathered
from orchestrator.record.ports import Ports

PER_SEARCH = 10  # papers
_ABSTRACT = 700  # characters of an abstract that are shown


def search_papers_once(
    query: str, known: tuple[PaperRef, ...], ports: Ports, most: int = PER_SEARCH
) -> tuple[Searched, tuple[PaperRef, ...], list[PaperRef]]:
    """The search of at most so many papers, ``known`` with what it found, and the papers that are new."""
    found = ports.search(Query(query[:LONGEST_QUERY], most))
    papers = gathered(known, found.papers)
    before = {one.key for one in known}
    new = [one for one in papers if one.key not in before]
    search = Searched(query=query, found=len(found.papers), new=len(new), engines=found.engines)
    return search, papers, new


def search_row(search: Searched) -> dict[str, Any]:
    """A search as data for a prompt: its words, its yield, and who could not answer."""
    left_out = [one.engine for one in search.engines if one.state != "answered"]
    asked = [one.engine for one in search.engines if one.state == "answered"]
    facts = {key: value for key, value in asdict(search).items() if key != "engines"}
    return {**facts, "searched": asked, "not_answering": left_out}


def found_paper(paper: PaperRef, most: int = _ABSTRACT) -> dict[str, Any]:
    """A paper as data for a prompt, with at most so many characters of its abstract."""
    names = list(paper.authors[:4]) + (["and others"] if len(paper.authors) > 4 else [])
    facts = {
        "key": paper.key, "title": paper.title, "authors": ", ".join(names), "year": paper.year,
        "venue": paper.venue, "cited": paper.citations, "abstract": shown_abstract(paper.abstract, most),
    }  # fmt: skip
    return {key: value for key, value in facts.items() if value not in (None, "")}


def shown_abstract(text: str, most: int = _ABSTRACT) -> str:
    """An abstract, or its beginning of so many characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
