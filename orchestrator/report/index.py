"""The page of a run: its ideas in a table, with links to their pages."""

from __future__ import annotations

from urllib.parse import quote

from orchestrator.core.errors import BadJournal
from orchestrator.core.files import slug
from orchestrator.record.calls import steps
from orchestrator.record.journal import Journal
from orchestrator.record.ledger import total_usage
from orchestrator.record.pins import Pins
from orchestrator.report.ceilings import ceiling_rows, held_by
from orchestrator.report.html import Child, Html, data_table, el, number, right
from orchestrator.report.page import (
    dollars,
    duration,
    fact_list,
    page,
    pills,
    proof_paragraph,
    section,
    who_wrote,
)
from orchestrator.report.reading import IdeaFacts, read_idea, read_run
from orchestrator.report.side_by_side import side_by_side
from orchestrator.report.timeline import timeline


def run_report(run: Journal, ideas: list[Journal]) -> str:
    """The page of a run; ``ideas`` are its ideas' journals. Raises :class:`BadJournal`."""
    if run.pins is None:
        raise BadJournal(
            "the journal does not say what the run was started with",
            where=str(run.path),
            todo="name the folder of a run: `aisci report RUN`",
        )
    pins = run.pins
    shared = read_run(run)
    known = [(journal.path.parent.name, read_idea(journal, shared)) for journal in ideas]
    template, author = pins.template.name, pins.model().author
    byline = f"Proposed, carried out and written by {who_wrote(author)}."
    if pins.imported:
        byline = f"Imported from {pins.imported.folder}, a results folder of the AI Scientist."
    beside = side_by_side(known)
    count = "one idea" if len(known) == 1 else f"{len(known)} ideas"
    head = el(
        "header",
        el("p", " · ".join(("aisci", pins.scale, *held_by(pins))), class_="eyebrow"),
        el("h1", f"{template}: {count}"),
        el("p", byline, class_="byline"),
        el("p", f"begun {run.events[0].at[:16].replace('T', ' ')} UTC", class_="small quiet"),
        _numbers(run, [facts for _, facts in known]),
    )
    return page(
        f"{template} · aisci",
        head,
        section("ideas", "Ideas", _table(known)),
        *([section("results", "Results side by side", *beside)] if beside else []),
        *_timeline(run, known),
        section("proof", "Proof of the policy", proof_paragraph(pins)),
        section("record", "The record", *_record(run, pins)),
    )


def _numbers(run: Journal, ideas: list[IdeaFacts]) -> Html:
    own = (*steps(run, left=True), *steps(run))
    asked = (step for step in own if step.port == "model")
    every = (*asked, *(step for idea in ideas for step in idea.paid))
    used = total_usage(step.usage for step in every)
    done = sum(idea.status == "finished" for idea in ideas)
    return fact_list(
        ("ideas finished", f"{done} of {len(ideas)}", ""),
        ("papers", sum(idea.reached.paper is not None for idea in ideas), ""),
        ("model calls", len(every), f"{used.prompt_tokens + used.completion_tokens:,} tokens"),
        ("cost", dollars(used.usd), ""),
    )


def _timeline(run: Journal, known: list[tuple[str, IdeaFacts]]) -> list[Html]:
    lanes = [(idea.idea.name, idea.journal.events) for _, idea in known]
    parts = timeline([*lanes, ("the run's own", run.events)])
    return [section("time", "When each idea worked", *parts)] if parts else []


def _table(known: list[tuple[str, IdeaFacts]]) -> Html:
    rows: list[tuple[Child, ...]] = []
    for folder, idea in known:
        used = total_usage(step.usage for step in idea.paid)
        why = "; ".join(f"{one.stage}: {one.what}"[:300] for one in idea.failures)
        link = el("a", idea.idea.title, href=f"{quote(folder)}/report.html")
        name = f"{quote(folder)}/{slug(idea.idea.name)}.pdf"
        paper = el("a", "paper (PDF)", href=name) if idea.reached.paper is not None else None
        runs = sum(1 for run in idea.runs if run.number)
        time = duration(sum(seconds for _, seconds in idea.stages))
        last = idea.journal.events[-1].at[:16].replace("T", " ")
        rows.append(
            (
                [
                    link,
                    el("div", paper, class_="small") if paper is not None else None,
                    el("div", why, class_="small quiet") if why else None,
                ],
                pills(idea.status, idea.lacking),
                *map(number, (runs, len(idea.reached.claims), dollars(used.usd), time, last)),
            )
        )
    names = ("runs", "verified numbers", "cost", "time", "last line (UTC)")
    return data_table(("idea", "", *map(right, names)), rows)


def _record(run: Journal, pins: Pins) -> tuple[Html, Html]:
    kept, origin = pins.baseline, "measured in this run"
    if pins.imported:
        origin = f"imported from {pins.imported.folder}, not measured here"
    if kept:
        origin = f"measured at {kept.at} on {kept.machine}, in the container {kept.container[:12]}"
    rows: list[tuple[Child, ...]] = [
        ("program", f"aisci {pins.program}"),
        ("model", pins.model_names),
        ("baseline", origin),
        *ceiling_rows(pins),
        ("head", el("span", run.head, class_="hash")),
        ("sealed", "yes" if run.sealed else "no: the run may continue, and its head will change"),
    ]
    about = el(
        "p",
        "The head covers every line of this run and of its ideas. Store it where nobody who can "
        "write to this folder can change it: ",
        el("code", "aisci audit RUN --head HEAD"),
        " then shows whether anything was changed.",
    )
    return about, data_table(("", ""), rows)
