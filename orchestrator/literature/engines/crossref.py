"""Crossref: https://api.crossref.org. Asked for single works by DOI, to check references."""

from __future__ import annotations

from urllib.parse import quote

from orchestrator.core.literature import PaperRef
from orchestrator.core.strict_json import loads
from orchestrator.literature.engines.engine import Service
from orchestrator.literature.engines.http import Answer, Call
from orchestrator.literature.engines.limiter import Rate
from orchestrator.literature.engines.refusals import (
    is_html,
    maintenance,
    unavailable,
)
from orchestrator.literature.paper_door import mapping, received, sequence


def doi_call(server: str, doi: str) -> Call:
    """One work by its bare DOI."""
    return Call(f"{server}/{quote(doi, safe='')}")


def read_doi(answer: Answer) -> PaperRef | None:
    """The work, or None if there is none of that DOI. Raises :class:`ServiceRefusal`, ValueError."""
    if answer.status == 404:  # in plain text
        return None
    if answer.status != 200:  # its 429 can be a web page
        raise unavailable(answer)
    if is_html(answer):
        raise maintenance()
    value = mapping(loads(answer.body))
    if value.get("message-type") != "work":
        raise ValueError(f"`message-type` is {str(value.get('message-type'))[:40]!r}, not 'work'")
    work = mapping(value.get("message"))
    dates = sequence(mapping(work.get("issued")).get("date-parts"))
    first = sequence(dates[0]) if dates else []
    names = [mapping(one) for one in sequence(work.get("author"))]
    updates = [mapping(one).get("type") for one in sequence(work.get("updated-by"))]
    title, subtitle = (next(iter(sequence(work.get(name))), "") for name in ("title", "subtitle"))
    found = received(
        source="crossref",
        title=f"{title}: {subtitle}" if title and subtitle else title,
        authors=[
            one.get("name") or f"{one.get('given') or ''} {one.get('family') or ''}".strip()
            for one in names
        ],
        year=first[0] if first else None,
        venue=next(iter(sequence(work.get("container-title"))), ""),
        abstract=work.get("abstract"),
        doi=work.get("DOI"),
        url=work.get("URL"),
        citations=work.get("is-referenced-by-count"),
        retracted="retraction" in updates,
    )
    if found is None:
        raise ValueError("the work has no title")
    return found


CROSSREF = Service(
    name="crossref",
    title="Crossref",
    home="https://api.crossref.org/works",
    rate=Rate(0.4, alone=True),
)
