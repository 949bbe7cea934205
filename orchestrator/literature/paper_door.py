"""The door for papers from outside: every text bounded and on one line, every id in its plain form."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.core.literature import (
    LONGEST_ABSTRACT,
    LONGEST_TITLE,
    MOST_AUTHORS,
    PaperRef,
)
from orchestrator.literature.citation_keys import citation_key
from orchestrator.literature.clean import harmless_line

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
_DOI = re.compile(r"10\.\d{4,9}/[!-~]{1,200}", re.ASCII)
_ARXIV = re.compile(
    r"(\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[a-z]{2})?/\d{7})(?:v\d{1,3})?", re.IGNORECASE | re.ASCII
)
_ARXIV_DOI = "10.48550/arxiv."
_S2 = re.compile(r"[0-9a-f]{40}")
_OPENALEX = re.compile(r"(?:https?://openalex\.org/)?(W\d{1,12})", re.IGNORECASE | re.ASCII)
_LONGEST_NAME = 120
_LONGEST_URL = 500
_FIRST_YEAR, _LAST_YEAR = 1600, 2200


def received(
    *,
    source: str,
    title: Any,
    authors: Iterable[Any],
    year: Any,
    venue: Any = "",
    abstract: Any = "",
    doi: Any = "",
    arxiv: Any = "",
    openalex: Any = "",
    s2: Any = "",
    url: Any = "",
    pdf: Any = "",
    citations: Any = None,
    retracted: Any = False,
) -> PaperRef | None:
    """A paper of a service, or None for one without a title."""
    plain = line(title, LONGEST_TITLE)
    if not plain:
        return None
    names = [name for one in authors if (name := line(one, _LONGEST_NAME))][:MOST_AUTHORS]
    when, bare = year_of(year), doi_of(doi)
    eprint = arxiv_of(arxiv)
    if bare.startswith(_ARXIV_DOI):
        eprint, bare = eprint or arxiv_of(bare.removeprefix(_ARXIV_DOI)), ""
    return PaperRef(
        key=citation_key(tuple(names), when, plain),
        title=plain,
        authors=tuple(names),
        year=when,
        venue=line(venue, 300),
        abstract=line(abstract, LONGEST_ABSTRACT),
        source=source,
        doi=bare,
        arxiv=eprint,
        openalex=(found[1].upper() if (found := _OPENALEX.fullmatch(_text(openalex))) else ""),
        s2=_text(s2) if _S2.fullmatch(_text(s2)) else "",
        url=address(url),
        pdf=address(pdf),
        citations=citations if _is_count(citations) else None,
        retracted=retracted is True,
    )


def line(value: Any, most: int) -> str:
    """A text of a service on one line: no tags, no entities, no control characters."""
    text = _text(value)[: most * 4]
    text = html.unescape(_TAG.sub("", html.unescape(text)))
    return harmless_line(unicodedata.normalize("NFC", text), most)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def year_of(value: Any) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool)
    return value if known and _FIRST_YEAR <= value <= _LAST_YEAR else None


def doi_of(value: Any) -> str:
    """A bare DOI in lower case, or an empty text."""
    found = _DOI.search(_text(value)[:400])
    return found[0].rstrip(".,;)").lower() if found else ""


def arxiv_of(value: Any) -> str:
    """An arXiv id without its version, or an empty text."""
    text = re.sub(
        r"^(?:https?://(?:export\.)?arxiv\.org/(?:abs|pdf)/|arxiv:)",
        "",
        _text(value).strip(),
        flags=re.IGNORECASE,
    )
    found = _ARXIV.fullmatch(text.removesuffix(".pdf"))
    return found[1] if found else ""


def address(value: Any) -> str:
    """A web address of plain ASCII, or an empty text."""
    text = _text(value)
    plain = re.fullmatch(r"https?://[!-~]{1,490}", text) is not None
    return text if plain and not set(text) & set("\"'<>\\^`{|}") else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
