"""``aisci literature`` and ``aisci doctor --literature``: searches, one's own library, the services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.padding import Padding
from rich.text import Text

from orchestrator.api import literature as api
from orchestrator.console import output as out
from orchestrator.core.literature import EngineAnswer, Found, PaperRef
from orchestrator.core.sanitize import plain_line
from orchestrator.literature.library.own_library import OwnLibrary

_ABSTRACT = 300  # characters
_NAMES = 4


def search(text: str, engine: str, limit: int, *, fresh: bool, as_json: bool) -> int:
    """What a search gives; exit code 1 where no source answered."""
    with out.trying(f"searching {engine} …"):
        found = api.search_papers(text, engine, limit, fresh=fresh)
    if as_json:
        for one in found.papers:
            out.as_json({"paper": asdict(one)})
        out.as_json({"engines": [asdict(one) for one in found.engines],
                     "retracted": list(found.retracted)})  # fmt: skip
    else:
        _draw(found)
    return 0 if found.answered else 1


def _draw(found: Found) -> None:
    if found.papers:
        out.draw([part for paper in found.papers for part in _paper(paper)], longest=110)
    for title in found.retracted:
        out.say(f"left out, it is retracted: {plain_line(title)}")
    if not found.engines:
        out.say(
            "Nothing was searched: there is no paper in your own library, and no engine is named."
        )
        out.say(
            "Name engines with --engine, as in --engine all, or add papers: aisci literature add FILE"
        )
        return
    rows = [(one.engine, one.state, one.papers, _time(one), _cost(one), one.why)
            for one in found.engines]  # fmt: skip
    out.table(("source", "state", "papers", "time", "its budget", "why"), rows)


def _paper(paper: PaperRef) -> list[Text | Padding]:
    names = ", ".join(paper.authors[:_NAMES]) + (
        " and others" if len(paper.authors) > _NAMES else ""
    )
    year = str(paper.year) if paper.year else "no year"
    facts = [year, paper.venue, paper.id or paper.url, f"from {paper.source}"]
    if paper.citations is not None:
        facts.insert(2, f"cited {paper.citations:,} times")
    head = Text(plain_line(paper.title, limit=300), style="bold")
    parts = [
        Text(plain_line(names, limit=300)) if names else None,
        Text(plain_line(" · ".join(filter(None, facts)), limit=400), style="dim"),
        Text(plain_line(paper.abstract, limit=_ABSTRACT)) if paper.abstract else None,
    ]
    below = Text("\n").join(part for part in parts if part is not None)
    return [head, Padding(below, (0, 0, 1, 2))]


def _time(one: EngineAnswer) -> str:
    if one.age is not None:
        hours = one.age / 3600
        return f"kept, {hours:.0f} h old" if hours >= 1 else f"kept, {one.age / 60:.0f} min old"
    return f"{one.seconds:.1f} s" if one.calls or one.seconds else ""


def _cost(one: EngineAnswer) -> str:
    return f"${one.usd:g}" if one.usd else ""


def add(files: Sequence[Path], policy: str | None, *, as_json: bool) -> None:
    """Add files of papers to one's own library."""
    with out.trying("reading …") as say:
        done = api.add_files(files, say, policy)
    counts = asdict(done.added)
    if as_json:
        out.as_json({"added": counts, "papers": done.papers})
        return
    known = f", {done.added.replaced} with more than before" if done.added.replaced else ""
    same = f", {done.added.known} there already" if done.added.known else ""
    out.say(f"{out.counted(done.added.new, 'new paper')}{known}{same}")
    out.say(
        f"{out.counted(done.papers, 'paper')} in {OwnLibrary().path}; runs and searches read it"
    )


def list_papers(limit: int, *, as_json: bool) -> None:
    """The papers of one's own library, by key."""
    library = OwnLibrary()
    papers = library.papers(limit)
    if as_json:
        for one in papers:
            out.as_json(asdict(one))
        return
    if not papers:
        out.say("Your own library is empty; add papers: aisci literature add FILE.bib")
        return
    out.table(
        ("key", "title", "year", "id"),
        [(one.key, one.title, one.year or "", one.id) for one in papers],
    )
    if (more := len(library) - len(papers)) > 0:
        out.say(f"and {more:,} more; --limit shows more of them")


def remove(key: str) -> int:
    """Remove one paper of one's own library; exit code 2 where there is none of that key."""
    there = OwnLibrary().remove(key)
    out.say(f"removed {plain_line(key)}" if there else f"no paper has the key {plain_line(key)}")
    return 0 if there else 2


def services(*, as_json: bool) -> int:
    """Each service: its key, whether it answers, what is left today; exit code 1 where none answers."""
    with out.trying("asking each service once …"):
        states = api.service_states()
    if as_json:
        for one in states:
            out.as_json(asdict(one))
    else:
        rows = [
            (
                one.title,
                one.answer.state,
                one.key or ("none is needed" if not one.variables else f"set {one.variables[0]}"),
                f"${one.usd_left:g} today" if one.usd_left is not None else "",
                one.answer.why,
            )
            for one in states
        ]
        out.table(("service", "state", "key", "left", "why"), rows)
        out.say(
            "Without a key, OpenAlex allows about a hundred searches a day, Semantic Scholar often none."
        )
        out.say(
            "Keys are free: https://openalex.org/settings/api, https://www.semanticscholar.org/product/api"
        )
    return 0 if any(one.answer.state == "answered" for one in states) else 1
