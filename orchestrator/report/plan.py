"""The plan of a study on its page: what was expected before each run, beside what came out."""

from __future__ import annotations

from orchestrator.core.research import PlannedRun
from orchestrator.report.html import Child, Html, data_table, el, fold
from orchestrator.report.page import pill
from orchestrator.report.reading import IdeaFacts

_LOOKS = {"as expected": "good", "in part": "warn", "refuted": "bad", "given up": "warn"}


def plan_section(facts: IdeaFacts) -> list[Child]:
    """The first plan, and each run that was tried with its outcome."""
    if not facts.plans:
        return []
    first = facts.plans[0]
    said = (
        f"{len(first.plan.runs)} runs were planned before the first container of the study started; "
        "the plan was revised after each run. The order is held by the journal's chain."
    )
    added = [(one.name, one.unit, one.direction, one.description) for one in first.plan.metrics]
    heads = ("metric", "unit", "better", "what it is")
    return [
        el("p", said, class_="small"),
        data_table(("run", "expected", "what came out"), [*_outcomes(facts), *_given_up(facts)]),
        *_questions(facts),
        el("h3", "Metrics that the study added") if added else None,
        data_table(heads, added) if added else None,
        fold("The plan as it was before run 1", _planned(first.plan.runs)),
    ]


def _questions(facts: IdeaFacts) -> list[Child]:
    """What the critic asked, round by round."""
    asked = [question for note in facts.critiques for question in note.questions]
    if not asked:
        return []
    return [el("h3", "Asked before writing"), el("ul", [el("li", one) for one in asked])]


def _outcomes(facts: IdeaFacts) -> list[tuple[Child, ...]]:
    outcomes = [note.outcome for note in facts.plans if note.outcome is not None]
    given_up = {note.number for note in facts.given_up}
    return [
        _row(one.number, one.planned, one.finding, one.why)
        for one in outcomes
        if one.number not in given_up
    ]


def _given_up(facts: IdeaFacts) -> list[tuple[Child, ...]]:
    return [_row(gone.number, gone.planned, "given up", gone.why) for gone in facts.given_up]


def _row(number: int, planned: PlannedRun, state: str, why: str) -> tuple[Child, ...]:
    refuted = el("p", f"refuted by: {planned.refuted_by}", class_="small quiet")
    name = [el("strong", f"{number} · {planned.name}"), el("p", planned.tests, class_="small")]
    return (
        name,
        [el("p", planned.expects), refuted],
        [pill(state, _LOOKS.get(state, "")), el("p", why)],
    )


def _planned(runs: tuple[PlannedRun, ...]) -> Html:
    rows = [(one.name, one.base, one.tests, one.expects, one.refuted_by) for one in runs]
    return data_table(("run", "starts from", "tests", "expected", "refuted by"), rows)
