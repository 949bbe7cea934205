"""Semantic Scholar's graph: https://api.semanticscholar.org. One request a second with a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.strict_json import loads
from orchestrator.literature.engines.engine import SearchService
from orchestrator.literature.engines.http import Answer, Call
from orchestrator.literature.engines.limiter import Rate
from orchestrator.literature.engines.query_words import plain_words
from orchestrator.literature.engines.refusals import (
    ServiceRefusal,
    busy,
    json_object,
    unavailable,
    whole_words,
)
from orchestrator.literature.paper_door import mapping, received, sequence

_FIELDS = (
    "paperId,externalIds,url,title,abstract,venue,year,citationCount,openAccessPdf,publicationVenue,"
    "journal,authors"
)


def _search(server: str, query: Query) -> Call:
    # A word with a hyphen finds nothing there.
    text = plain_words(query.text).replace("-", " ")
    parameters = (("query", text), ("limit", str(query.limit)), ("fields", _FIELDS))
    return Call(f"{server}/paper/search", parameters)


def _read(answer: Answer) -> tuple[PaperRef, ...]:
    """The papers of a search. Raises :class:`ServiceRefusal`, ValueError."""
    value = json_object(answer, _refusal)
    if "data" not in value and "total" not in value:
        raise ValueError("the keys `data` and `total` are missing")
    rows = value.get("data") or []  # where nothing was found, there is no `data`
    if not isinstance(rows, list):
        raise ValueError("`data` is no list")  # noqa: TRY004 - what the engine expects
    return tuple(one for row in rows if (one := _paper(mapping(row))))


def _refusal(answer: Answer) -> ServiceRefusal:
    try:
        said = mapping(loads(answer.body))
    except ValueError:
        return unavailable(answer)
    text = whole_words(str(said.get("error") or said.get("message") or f"status {answer.status}"))
    if answer.status in {401, 403}:
        return ServiceRefusal(
            "refused", f"it does not take this key, or this machine's region: {text}"
        )
    if answer.status in {429, 500, 502, 503, 504}:
        return busy(text, answer.headers)
    return ServiceRefusal("refused", text)


def _paper(row: Mapping[str, Any]) -> PaperRef | None:
    ids = mapping(row.get("externalIds"))
    venue = mapping(row.get("publicationVenue")).get("name") or row.get("venue")
    return received(
        source="semanticscholar",
        title=row.get("title"),
        authors=[mapping(one).get("name") for one in sequence(row.get("authors"))],
        year=row.get("year"),
        venue=venue or mapping(row.get("journal")).get("name"),
        abstract=row.get("abstract"),
        doi=ids.get("DOI"),
        arxiv=ids.get("ArXiv"),
        s2=row.get("paperId"),
        url=row.get("url"),
        pdf=mapping(row.get("openAccessPdf")).get("url"),
        citations=row.get("citationCount"),
    )


SEMANTIC_SCHOLAR = SearchService(
    name="semanticscholar",
    title="Semantic Scholar",
    home="https://api.semanticscholar.org/graph/v1",
    rate=Rate(1.0, alone=True),
    search=_search,
    read=_read,
    keys=("SEMANTIC_SCHOLAR_API_KEY", "S2_API_KEY"),
    header=lambda key: {"x-api-key": key},
)
