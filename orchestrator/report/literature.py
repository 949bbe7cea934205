"""What was searched for, whether the idea is new, and what the paper cites and why."""

from __future__ import annotations

import json

from orchestrator.core.decode import decode
from orchestrator.core.literature import CitedReference, EngineAnswer, PaperRef
from orchestrator.core.research import Searched
from orchestrator.record.paths import CITATIONS
from orchestrator.report.html import Child, data_table, el, fold
from orchestrator.report.page import lines, pill
from orchestrator.report.reading import IdeaFacts

_MOST_BYTES = 4 << 20


def novelty_section(known: IdeaFacts) -> list[Child]:
    """The decision, the closest paper, every search and its yield, and the papers that were found."""
    novelty = known.novelty
    closest = next((one for one in novelty.papers if one.key == novelty.closest), None)
    rows = [_search(one) for one in novelty.searches]
    papers = [_paper(one) for one in novelty.papers]
    return [
        el("p", pill(novelty.decision), " ", _where(novelty.searches, len(papers))),
        lines(novelty.reason),
        el("p", "Closest paper: ", el("em", closest.title), f" ({closest.year or 'no year'}), ",
           _address(closest.id, closest.url)) if closest else None,
        fold(f"{len(rows)} search{'es' * (len(rows) != 1)}",
             data_table(("words", "found", "new", "who answered"), rows))
        if rows else None,
        fold(f"{len(papers)} paper{'s' * (len(papers) != 1)} found",
             data_table(("title", "authors", "year", "venue", "id"), papers)) if papers else None,
    ]  # fmt: skip


def _where(searches: tuple[Searched, ...], papers: int) -> str:
    """What the decision rests on."""
    asked = dict.fromkeys(
        one.engine for search in searches for one in search.engines if one.state == "answered"
    )
    if not asked:
        return "no source was searched" if not searches else "no source answered"
    return f"among {papers} papers from {', '.join(asked)}"


def _search(one: Searched) -> tuple[Child, ...]:
    return one.query, str(one.found), str(one.new), "; ".join(map(_answer, one.engines))


def _answer(one: EngineAnswer) -> str:
    if one.state != "answered":
        return f"{one.engine} left out, {one.state}: {one.why}"
    kept = ", kept from an earlier search" if one.age is not None else ""
    return f"{one.engine} {one.papers}{kept}"


def _paper(one: PaperRef) -> tuple[Child, ...]:
    names = ", ".join(one.authors[:6]) + (" and others" if len(one.authors) > 6 else "")
    return one.title, names, str(one.year or ""), one.venue, _address(one.id, one.url)


def _address(known: str, url: str) -> Child:
    """An id as a link to where it leads; an address of a service as it is."""
    kind, _, name = known.partition(":")
    home = {"doi": "https://doi.org/", "arXiv": "https://arxiv.org/abs/",
            "OpenAlex": "https://openalex.org/"}.get(kind)  # fmt: skip
    to = f"{home}{name}" if home else url if url.startswith(("https://", "http://")) else ""
    return el("a", known or to, href=to, rel="noreferrer") if to else known


def references_section(known: IdeaFacts) -> list[Child]:
    """Each reference: its id, why it is cited, and what registries say of it."""
    rows = _rows(known)
    if not rows:
        return []
    odd = [row for row in rows if _state(row) not in {"agrees", "not checked"}]
    checked = sum(_state(row) != "not checked" for row in rows)
    said = f"{len(rows)} references, {checked} of them checked against Crossref or OpenAlex"
    return [
        el("p", f"{said}: {len(odd)} disagree." if odd else f"{said}."),
        data_table(("reference", "id", "from", "why it is cited", "checked"), map(_cells, rows)),
    ]


def _cells(row: CitedReference) -> tuple[Child, ...]:
    one = row.reference
    reasons = [f"{why.section or 'paper'}: {why.why}" for why in row.reasons]
    state = el("span", pill(_state(row)), f" {row.checked.why}")
    title = f"{one.title} ({one.year or 'no year'})"
    return title, _address(one.id, one.id), row.source, "; ".join(reasons), state


def _state(row: CitedReference) -> str:
    return "retracted" if row.checked.retracted else row.checked.state


def _rows(known: IdeaFacts) -> tuple[CitedReference, ...]:
    """The rows of ``citations.json``; none in a record that lacks it or has another form of it."""
    sha256 = known.reached.tree.get(CITATIONS)
    if sha256 is None:
        return ()
    try:
        rows = json.loads(known.journal.blobs.get(sha256, _MOST_BYTES))
        return decode(tuple[CitedReference, ...], rows)
    except (ValueError, RecursionError):
        return ()
