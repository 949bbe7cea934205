"""arXiv's query interface: https://info.arxiv.org/help/api. One request in three seconds, one connection."""

from __future__ import annotations

import re
from itertools import combinations

from orchestrator.core.literature import PaperRef, Query
from orchestrator.literature.engines.atom import Node, read_feed
from orchestrator.literature.engines.engine import SearchService
from orchestrator.literature.engines.http import Answer, Call
from orchestrator.literature.engines.limiter import Rate
from orchestrator.literature.engines.query_words import content_words
from orchestrator.literature.engines.refusals import (
    ServiceRefusal,
    busy,
    is_html,
    maintenance,
    unavailable,
)
from orchestrator.literature.paper_door import received

_WORDS = 5  # of a query
_TOGETHER = 3  # of these words must occur in a paper
_ERRORS = "arxiv.org/api/errors"


def _search(server: str, query: Query) -> Call:
    parameters = (
        ("search_query", _terms(content_words(query.text)[:_WORDS])), ("start", "0"), ("max_results", str(query.limit)),
        ("sortBy", "relevance"),
    )  # fmt: skip
    return Call(server, parameters)


def _terms(words: list[str]) -> str:
    """Any three of the words: where all of five must occur, hardly a paper is found; any of them alone is
    in too many.
    """
    groups = combinations([f"all:{word}" for word in words], min(_TOGETHER, len(words)))
    return " OR ".join(f"({' AND '.join(group)})" for group in groups if group)


def _read(answer: Answer) -> tuple[PaperRef, ...]:
    """The papers of a feed. Raises :class:`ServiceRefusal`, ValueError."""
    # This refusal comes with status 200 as well.
    if answer.body[:100].strip().lower().startswith(b"rate exceeded"):
        raise busy("Rate exceeded.", answer.headers)
    if answer.status == 406:
        raise busy("it answered with status 406", answer.headers)
    if is_html(answer):
        if answer.status != 200:
            raise unavailable(answer)
        raise maintenance()
    if answer.status not in {200, 400}:
        raise unavailable(answer)
    feed = read_feed(answer.body)
    if feed.name != "feed":
        raise ValueError(f"its root is <{feed.name[:40]}>, not <feed>")
    entries = list(feed.all("entry"))
    for entry in entries:
        if _ERRORS in entry.said("id"):
            raise ServiceRefusal("refused", entry.said("summary") or "it takes no such request")
    if answer.status == 400:
        raise unavailable(answer)
    return tuple(one for entry in entries if (one := _paper(entry)))


def _paper(entry: Node) -> PaperRef | None:
    address = entry.said("id").strip()
    links = {
        one.attributes.get("title", ""): one.attributes.get("href", "") for one in entry.all("link")
    }
    year = re.match(r"\s*(\d{4})-", entry.said("published"))
    venue = " ".join(entry.said("journal_ref").split())
    return received(
        source="arxiv",
        title=entry.said("title"),
        authors=[one.said("name") for one in entry.all("author")],
        year=int(year[1]) if year else None,
        venue=re.split(r"[,(]|\s\d", venue)[0] if venue else "",
        abstract=entry.said("summary"),
        doi=entry.said("doi"),
        arxiv=address,
        url=address.replace("http://", "https://", 1),
        pdf=links.get("pdf", "").replace("http://", "https://", 1),
    )


ARXIV = SearchService(
    name="arxiv",
    title="arXiv",
    home="https://export.arxiv.org/api/query",
    rate=Rate(3.0, alone=True),
    search=_search,
    read=_read,
)
