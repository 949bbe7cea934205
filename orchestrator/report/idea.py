"""The page of one idea: the idea, its results, the changes, the paper, the cost."""

from __future__ import annotations

from orchestrator.record.journal import Journal
from orchestrator.record.ledger import total_usage
from orchestrator.report.changes import changes_section
from orchestrator.report.containers import containers_section
from orchestrator.report.cost import calls_section, cost_section
from orchestrator.report.html import Child, Html, data_table, el, fold
from orchestrator.report.measured import measured_section
from orchestrator.report.page import (
    contents,
    dollars,
    duration,
    fact_list,
    lines,
    page,
    pill,
    section,
)
from orchestrator.report.paper import claims_section, figures_section, paper_section, review_section
from orchestrator.report.reading import IdeaFacts, read_idea

_TITLES = {
    "idea": "The idea",
    "results": "Results",
    "figures": "Figures",
    "changes": "What each run changed",
    "paper": "The paper",
    "numbers": "Verified numbers",
    "review": "Review",
    "cost": "Cost and time",
    "containers": "Containers",
    "calls": "Model calls",
    "record": "The record",
}


def idea_report(journal: Journal, run: Journal | None) -> str:
    """The page of one idea, a function of its journal, its run's journal and their blobs. Raises
    :class:`BadJournal` if a blob is missing or changed.
    """
    known = read_idea(journal, run)
    parts = {
        "idea": _idea(known),
        "results": measured_section(known),
        "figures": figures_section(known),
        "changes": changes_section(known),
        "paper": paper_section(known),
        "numbers": claims_section(known),
        "review": review_section(known),
        "cost": cost_section(known),
        "containers": containers_section(known),
        "calls": calls_section(known),
        "record": _record(known),
    }
    shown = [(anchor, _TITLES[anchor]) for anchor, part in parts.items() if part]
    title = f"{known.idea.title} · aisci"
    return page(
        title, _head(known, contents(shown)), _failure(known), *parts.values(), _foot(known)
    )


def _head(known: IdeaFacts, links: Html) -> Html:
    template = known.pins.template.name if known.pins else ""
    place = " · ".join(filter(None, ("aisci", template, f"idea {known.idea.id}")))
    author = known.author
    return el(
        "header",
        el("p", place, "  ", pill(known.status), class_="eyebrow"),
        el("h1", known.idea.title),
        el("p", f"Proposed, carried out and written by {author}, a program.", class_="byline"),
        _numbers(known),
        links,
    )


def _numbers(known: IdeaFacts) -> Html:
    used = total_usage(step.usage for step in known.of("model"))
    boxes = len([s for s in known.steps if s.port in {"sandbox", "editor"} and s.answer])
    shared = any(step.port == "sandbox" for step in known.shared)
    finished = sum(1 for run in known.runs if run.number)
    tried = sum(run.attempts for run in known.runs if run.number)
    tokens = used.prompt_tokens + used.completion_tokens
    return fact_list(
        ("runs", finished, f"besides the baseline, in {tried} attempts"),
        ("containers", boxes, "besides the shared baseline" if shared else ""),
        ("model calls", len(known.of("model")), f"{tokens:,} tokens"),
        ("cost", dollars(used.usd), ""),
        ("verified numbers", len(known.claims), ""),
        ("time in stages", duration(sum(seconds for _, seconds in known.stages)), ""),
    )


def _failure(known: IdeaFacts) -> Html | None:
    failure = known.failure
    if known.status == "not novel":
        why = f"Not pursued: judged not novel. {known.novelty.reason}"
        return el("div", el("p", why), class_="notice warn")
    if failure is None:
        if known.status == "finished":
            return None
        return el("div", el("p", "This idea is not finished."), class_="notice warn")
    return el(
        "div",
        el("p", el("strong", f"The stage “{failure.stage}” failed: {failure.error}")),
        lines(failure.what),
        el("p", f"Where: {failure.where}", class_="small") if failure.where else None,
        el("p", f"What to do: {failure.todo}", class_="small") if failure.todo else None,
        el("p", f"{len(known.runs)} finished runs are kept and shown below.", class_="small"),
        class_="notice",
    )


def _idea(known: IdeaFacts) -> Html:
    idea, novelty = known.idea, known.novelty
    scores = [
        f"{name} {value} of 10"
        for name in ("interestingness", "feasibility", "novelty")
        if (value := getattr(idea, name)) is not None
    ]
    own: Child = None
    if scores:
        own = el("p", "The proposer's own scores: ", ", ".join(scores), ".", class_="small quiet")
    return section(
        "idea",
        _TITLES["idea"],
        lines(idea.experiment),
        own,
        el("h3", "Is it new? ", pill(novelty.decision)),
        lines(novelty.reason),
        _papers(known),
    )


def _papers(known: IdeaFacts) -> Html | None:
    rows = [
        (ref.title, ", ".join(ref.authors), str(ref.year), ref.venue)
        for ref in known.novelty.papers
    ]
    if not rows:
        return None
    return fold(
        f"{len(rows)} papers considered", data_table(("title", "authors", "year", "venue"), rows)
    )


def _record(known: IdeaFacts) -> Html:
    pins = known.pins
    rows: list[tuple[Child, ...]] = [
        ("journal lines", str(len(known.journal.events))),
        ("journal head", el("span", known.journal.head, class_="hash")),
        ("sealed", "yes" if known.journal.sealed else "no: the idea may continue"),
        ("began", known.journal.events[0].at),
    ]
    if pins:
        template, policy = pins.template, pins.policy
        rows += [
            ("program", f"aisci {pins.program}"),
            ("model", pins.model().name),
            ("scale", pins.scale),
            ("template", [template.origin, " ", el("span", template.hash, class_="hash")]),
            ("policy", [f"{policy.name} ({policy.origin}) ", _hash(policy.hash)]),
            ("prompts", _hash(pins.prompts)),
        ]
        rows += [(f"image {name}", _hash(image)) for name, image in pins.images]
    about = (
        "This page was made only from the journals of the idea and its run. A journal is a chain of "
        "hashes, and the head below is the last one. The run's head, on the run's page, covers it "
        "too: with a copy of that head stored elsewhere, an audit shows whether the record is intact."
    )
    return section("record", _TITLES["record"], el("p", about), data_table(("", ""), rows))


def _hash(value: str) -> Html:
    return el("span", value, class_="hash")


def _foot(known: IdeaFacts) -> Html:
    text = (
        "Text on this page was written by a language model and by programs that it wrote. None of "
        "it was executed on the host, and it cannot act here: the page contains no script and "
        f"loads nothing. Journal head {known.journal.head[:16]}…"
    )
    return el("footer", el("p", text))
