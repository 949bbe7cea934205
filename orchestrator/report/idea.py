"""The page of one idea: the idea, its results, the changes, the paper, the cost."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.research import Failure
from orchestrator.record.journal import Journal
from orchestrator.record.ledger import total_usage
from orchestrator.report.ceilings import ceiling_rows
from orchestrator.report.changes import changes_section
from orchestrator.report.containers import containers_section
from orchestrator.report.cost import calls_section, cost_section
from orchestrator.report.html import Child, Html, data_table, el
from orchestrator.report.imported import imported_section
from orchestrator.report.improvement import improvement_section
from orchestrator.report.literature import novelty_section, references_section
from orchestrator.report.measured import measured_section
from orchestrator.report.page import (
    contents,
    dollars,
    duration,
    fact_list,
    lines,
    page,
    pills,
    section,
    who_wrote,
)
from orchestrator.report.paper import claims_section, figures_section, paper_section
from orchestrator.report.plan import plan_section
from orchestrator.report.reading import IdeaFacts, RunFacts, read_idea
from orchestrator.report.reviews import review_section


def idea_report(journal: Journal, run: RunFacts | None) -> str:
    """The page of one idea. Raises :class:`BadJournal` if a blob is missing or changed."""
    known = read_idea(journal, run)
    made = [(anchor, title, make(known)) for anchor, title, make in _SECTIONS]
    links = contents([(anchor, title) for anchor, title, parts in made if parts])
    sections = [section(anchor, title, *parts) for anchor, title, parts in made if parts]
    title = f"{known.idea.title} · aisci"
    text = (
        "Text on this page was written by a language model and by programs that it wrote. None of "
        "it was executed on the host, and it cannot act here: the page contains no script and "
        f"loads nothing. Journal head {known.journal.head[:16]}…"
    )
    foot = el("footer", el("p", text))
    return page(title, _head(known, links), _failure(known), *sections, foot)


def _head(known: IdeaFacts, links: Html) -> Html:
    template = known.pins.template.name if known.pins else ""
    place = " · ".join(filter(None, ("aisci", template, f"idea {known.idea.id}")))
    return el(
        "header",
        el("p", place, "  ", pills(known.status, known.lacking), class_="eyebrow"),
        el("h1", known.idea.title),
        el("p", _byline(known), class_="byline"),
        _numbers(known),
        links,
    )


def _byline(known: IdeaFacts) -> str:
    if known.imported is None:
        return f"Proposed, carried out and written by {who_wrote(known.author)}."
    return (
        f"Imported from {known.imported.folder}, a results folder of the AI Scientist: its results were not "
        f"measured by this program. The paper is by {who_wrote(known.author)}."
    )


def _numbers(known: IdeaFacts) -> Html:
    used = total_usage(step.usage for step in known.of("model"))
    boxes = len([s for s in known.steps if s.port in {"sandbox", "editor"} and s.answer])
    shared = any(step.port == "sandbox" for step in known.shared)
    finished = sum(1 for run in known.runs if run.number)
    tried = sum(run.attempts for run in known.runs if run.number)
    how = "imported" if known.imported else f"in {tried} attempts"
    tokens = used.prompt_tokens + used.completion_tokens
    return fact_list(
        ("runs", finished, f"besides the baseline, {how}"),
        ("containers", boxes, "besides the shared baseline" if shared else ""),
        ("model calls", len(known.of("model")), f"{tokens:,} tokens"),
        ("cost", dollars(used.usd), ""),
        ("verified numbers", len(known.reached.claims), ""),
        ("time in stages", duration(sum(seconds for _, seconds in known.stages)), ""),
    )


def _failure(known: IdeaFacts) -> Html | None:
    if known.status == "not novel":
        why = f"Not pursued: judged not novel. {known.novelty.reason}"
        return el("div", el("p", why), class_="notice warn")
    if left_out := [what for what in known.lacking if what.endswith("left out")]:
        command = "writeup" if left_out[0].startswith("paper") else "review"
        about = f"As the run was asked: {left_out[0]}. Later: "
        return el(
            "div", el("p", about, el("code", f"aisci {command} RUN/IDEA")), class_="notice warn"
        )
    if not known.failures and known.status != "finished":
        if known.imported is not None and known.reached.stage == "verify":
            told = "Imported, and its paper checked. To go on: "
            return el(
                "div", el("p", told, el("code", "aisci review RUN/IDEA")), class_="notice warn"
            )
        return el("div", el("p", "This idea is not finished."), class_="notice warn")
    kept = f"{len(known.runs)} finished runs are kept and shown below."
    parts = [part for failure in known.failures for part in _failed(failure)]
    return el("div", *parts, el("p", kept, class_="small"), class_="notice") if parts else None


def _failed(failure: Failure) -> list[Child]:
    return [
        el("p", el("strong", f"The stage “{failure.stage}” failed: {failure.error}")),
        lines(failure.what),
        el("p", f"Where: {failure.where}", class_="small") if failure.where else None,
        el("p", f"What to do: {failure.todo}", class_="small") if failure.todo else None,
    ]


def _idea(known: IdeaFacts) -> list[Child]:
    idea = known.idea
    scores = [
        f"{name} {value} of 10"
        for name in ("interestingness", "feasibility", "novelty")
        if (value := getattr(idea, name)) is not None
    ]
    said = f"The proposer's own scores: {', '.join(scores)}." if scores else ""
    if idea.runs is not None:
        said += f" Runs proposed beside the baseline: {idea.runs}."
    own = el("p", said.strip(), class_="small quiet") if said else None
    return [lines(idea.experiment), own]


def _record(known: IdeaFacts) -> list[Child]:
    pins = known.pins
    rows: list[tuple[Child, ...]] = [
        ("journal lines", str(len(known.journal.events))),
        ("journal head", _hash(known.journal.head)),
        ("sealed", "yes" if known.journal.sealed else "no: the idea may continue"),
        ("began", known.journal.events[0].at),
    ]
    if pins:
        template, policy = pins.template, pins.policy
        rows += [
            ("program", f"aisci {pins.program}"),
            ("model", pins.model_names),
            ("scale", pins.scale),
            ("template", [template.origin, " ", _hash(template.hash)]),
            ("policy", [f"{policy.name} ({policy.origin}) ", _hash(policy.hash)]),
            *ceiling_rows(pins),
            ("prompts", _hash(pins.prompts)),
        ]
        rows += [(f"image {name}", _hash(image)) for name, image in pins.images]
    about = (
        "This page was made only from the journals of the idea and its run. A journal is a chain of "
        "hashes, and the head below is the last one. The run's head, on the run's page, covers it "
        "too: with a copy of that head stored elsewhere, an audit shows whether the record is intact."
    )
    return [el("p", about), data_table(("", ""), rows)]


def _hash(value: str) -> Html:
    return el("span", value, class_="hash")


_SECTIONS: tuple[tuple[str, str, Callable[[IdeaFacts], list[Child]]], ...] = (
    ("idea", "The idea", _idea),
    ("imported", "Imported", imported_section),
    ("novelty", "Is it new?", novelty_section),
    ("plan", "Plan and outcome", plan_section),
    ("results", "Results", measured_section),
    ("figures", "Figures", figures_section),
    ("changes", "What each run changed", changes_section),
    ("paper", "The paper", paper_section),
    ("numbers", "Verified numbers", claims_section),
    ("references", "References", references_section),
    ("review", "Review", review_section),
    ("improvement", "Improvement", improvement_section),
    ("cost", "Cost and time", cost_section),
    ("containers", "Containers", containers_section),
    ("calls", "Model calls", calls_section),
    ("record", "The record", _record),
)
"""Each section's anchor, title and parts; one without parts is left out."""
