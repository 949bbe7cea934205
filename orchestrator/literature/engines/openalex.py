"""OpenAlex: https://developers.openalex.org. Data are CC0; a key is free; a day's budget is in dollars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.strict_json import loads
from orchestrator.literature.engines.engine import Charge, SearchService
from orchestrator.literature.engines.http import Answer, Call
from orchestrator.literature.engines.limiter import Rate
from orchestrator.literature.engines.query_words import plain_words
from orchestrator.literature.engines.refusals import (
    ServiceRefusal,
    busy,
    json_object,
    unavailable,
    wait_asked,
    whole_words,
)
from orchestrator.literature.paper_door import mapping, received, sequence

_FIELDS = (
    "id,doi,ids,display_name,publication_year,authorships,primary_location,best_oa_location,locations,"
    "abstract_inverted_index,cited_by_count,is_retracted"
)
_MOST_WORDS = 2000  # of an abstract
_USD = 0.001
_CREDIT = 0.0001  # US dollars


def _search(server: str, query: Query) -> Call:
    parameters = (
        ("search", plain_words(query.text)), ("per_page", str(query.limit)), ("select", _FIELDS),
    )  # fmt: skip
    return Call(f"{server}/works", parameters)


def work_call(server: str, known: str) -> Call:
    """One work, free of charge; ``known`` is ``doi:…`` or a W id."""
    return Call(f"{server}/works/{quote(known, safe=':/')}", (("select", _FIELDS),))


def _read(answer: Answer) -> tuple[PaperRef, ...]:
    """The papers of a search. Raises :class:`ServiceRefusal`, ValueError."""
    works = json_object(answer, _refusal).get("results")
    if not isinstance(works, list):
        raise ValueError("the key `results` is missing")  # noqa: TRY004 - what the engine expects
    return tuple(one for work in works if (one := _paper(mapping(work))))


def read_work(answer: Answer) -> PaperRef | None:
    """The one work, or None if there is none of that id. Raises :class:`ServiceRefusal`, ValueError."""
    if answer.status == 404:
        return None
    found = _paper(json_object(answer, _refusal))
    if found is None:
        raise ValueError("the work has no title")
    return found


def _refusal(answer: Answer) -> ServiceRefusal:
    try:
        said = mapping(loads(answer.body))
    except ValueError:
        return unavailable(answer)
    error, message = (whole_words(str(said.get(name) or "")) for name in ("error", "message"))
    text = ": ".join(filter(None, (error, message))) or f"status {answer.status}"
    if answer.status in {401, 403} and "api key" in text.lower():
        return ServiceRefusal("refused", f"it does not take this key: {text}")
    if answer.status == 429 and ("insufficient budget" in message.lower() or _spent(answer, said)):
        asked = said.get("retryAfter")
        wait = float(asked) if isinstance(asked, int | float) else wait_asked(answer.headers)
        return ServiceRefusal("spent", "its budget of today is used up", wait)
    if answer.status in {403, 429, 500, 502, 503, 504}:  # some of its documents name 403 for haste
        return busy(text, answer.headers)
    return ServiceRefusal("refused", text)


def _spent(answer: Answer, said: Mapping[str, Any]) -> bool:
    left = said.get("dailyRemainingUsd", _number(answer.headers.get("x-ratelimit-remaining-usd")))
    return isinstance(left, int | float) and left < _USD


def charge(answer: Answer) -> Charge:
    """What the headers say; they count from midnight UTC, and ``Reset`` is in seconds from now."""
    usd = _number(answer.headers.get("x-ratelimit-cost-usd"))
    left = _number(answer.headers.get("x-ratelimit-remaining-usd"))
    more = _number(answer.headers.get("x-ratelimit-onetime-remaining-usd"))
    if more is None:  # in credits
        more = (_number(answer.headers.get("x-ratelimit-onetime-remaining")) or 0.0) * _CREDIT
    resets = _number(answer.headers.get("x-ratelimit-reset")) or 0.0
    return Charge(
        usd=(usd or 0.0) if answer.status == 200 else 0.0,
        left=None if left is None else left + more,
        resets=resets,
    )


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def _paper(work: Mapping[str, Any]) -> PaperRef | None:
    place = mapping(work.get("primary_location"))
    free = mapping(work.get("best_oa_location"))
    authorships = [mapping(one) for one in sequence(work.get("authorships"))]
    return received(
        source="openalex",
        title=work.get("display_name") or work.get("title"),
        authors=[
            mapping(one.get("author")).get("display_name") or one.get("raw_author_name")
            for one in authorships
        ],
        year=work.get("publication_year"),
        venue=mapping(place.get("source")).get("display_name"),
        abstract=abstract_of(work.get("abstract_inverted_index")),
        doi=work.get("doi") or mapping(work.get("ids")).get("doi"),
        arxiv=_arxiv(work),
        openalex=work.get("id"),
        url=work.get("doi") or place.get("landing_page_url"),
        pdf=free.get("pdf_url") or place.get("pdf_url"),
        citations=work.get("cited_by_count"),
        retracted=work.get("is_retracted"),
    )


def _arxiv(work: Mapping[str, Any]) -> str:
    places = [work.get("primary_location"), work.get("best_oa_location")]
    places += sequence(work.get("locations"))[:20]
    addresses = (str(mapping(one).get("landing_page_url") or "") for one in places)
    return next((one for one in addresses if "arxiv.org/abs/" in one), "")


def abstract_of(index: Any) -> str:
    """The abstract of an inverted index: word → its positions."""
    words: dict[int, str] = {}
    for word, positions in mapping(index).items():
        for at in sequence(positions):
            if isinstance(at, int) and 0 <= at < _MOST_WORDS:
                words[at] = word
    return " ".join(words[at] for at in sorted(words))


OPENALEX = SearchService(
    name="openalex",
    title="OpenAlex",
    home="https://api.openalex.org",
    rate=Rate(0.05),
    search=_search,
    read=_read,
    keys=("OPENALEX_API_KEY",),
    header=lambda key: {"Authorization": f"Bearer {key}"},
    charge=charge,
    usd=_USD,
)
