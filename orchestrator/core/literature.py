"""A query for papers, and a paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRef:
    """A paper that a source knows; ``bibtex`` is a whole entry under ``key``."""

    key: str
    title: str
    authors: tuple[str, ...]
    year: int
    venue: str = ""
    abstract: str = ""
    bibtex: str = ""
    source: str = ""
    doi: str = ""
