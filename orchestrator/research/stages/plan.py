"""The plan of a study: made before the first run, revised after each one, recorded both times.

The record shows the order: a plan is noted before the container of its first run starts, so that what
was expected cannot be adapted to what came out.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.core.research import (
    BASELINE,
    DeclaredMetric,
    Direction,
    Finding,
    Plan,
    PlannedRun,
    PlanOutcome,
)
from orchestrator.policy.policy import Policy
from orchestrator.record.plan_notes import PlanMade
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.research.stages.comparing import comparisons_block
from orchestrator.research.stages.inquiry import AskingForm, ask_with_files
from orchestrator.research.stages.run_history import (
    given_up_block,
    last_run_block,
    run_history,
)

USUAL_RUNS = 5  # as in The AI Scientist (Lu et al., 2024)
_MOST_RUNS = 10  # of a plan
_LATER = 2
"""Runs that a plan leaves to those who ask after it: a critic, an improvement."""
_SMALL = 6  # runs in all; fewer leave nothing over
_MOST_METRICS = 12
_MOST_SEEDS = 20
_LONGER = 1.5  # times the baseline: what a run may take without a smaller number of runs

_Sentences = Annotated[str, Field(min_length=1, max_length=1500)]
_Name = Annotated[str, Field(min_length=1, max_length=60)]


class RunForm(ReplyForm):
    """A run in a model's plan."""

    name: _Name
    base: _Name = BASELINE
    tests: _Sentences
    expects: _Sentences
    refuted_by: _Sentences


class MetricForm(ReplyForm):
    """A metric that a model's plan adds."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,59}$")]
    unit: Annotated[str, Field(max_length=40)] = ""
    direction: Direction
    description: _Sentences
    headline: bool = False


class PlanForm(ReplyForm):
    """The form of a model's plan."""

    runs: Annotated[tuple[RunForm, ...], Field(min_length=1, max_length=_MOST_RUNS)]
    metrics: Annotated[tuple[MetricForm, ...], Field(max_length=_MOST_METRICS)] = ()
    decides: Annotated[tuple[str, ...], Field(max_length=_MOST_METRICS)] = ()
    more_seeds: Annotated[int, Field(ge=0, le=_MOST_SEEDS)] = 0


class RevisionForm(AskingForm):
    """The form of a model's revision: what a run showed, and the runs to make now (None: as planned)."""

    finding: Literal["as expected", "in part", "refuted", "unclear"]
    why: _Sentences
    runs: Annotated[tuple[RunForm, ...], Field(max_length=_MOST_RUNS)] | None = None


def most_runs(study: Study) -> int:
    """How many runs the idea has time for, those of a critic and of an improvement included."""
    return _in_time(study.policy, study.runs[0].seconds)


def critics_share(study: Study) -> int:
    """How many runs there may be after a critic: an improvement has its own."""
    most = most_runs(study)
    return most - _LATER if most >= _SMALL + _LATER else most


def planned_at_most(policy: Policy, baseline: float) -> int:
    """How many of them a plan may take under ``policy``, for a baseline of so many seconds."""
    most = _in_time(policy, baseline)
    return min(_MOST_RUNS, most - _LATER if most >= _SMALL else most)


def _in_time(policy: Policy, baseline: float) -> int:
    """Runs that are each a little longer than the baseline."""
    seconds = _LONGER * max(baseline, 1.0)
    gpus = policy.limits("experiment").gpus
    times = [policy.idea.wall / seconds]
    times += [policy.idea.gpu_time / seconds / gpus] if gpus else []
    return max(1, min(_MOST_RUNS + 2 * _LATER, *map(int, times)))


def make_plan(study: Study, ports: Ports) -> tuple[Study, int]:
    """The study with its plan, and how many seeds the plan adds."""
    most = planned_at_most(study.policy, study.runs[0].seconds)
    instruction = render(
        "plan_make",
        study=common.study_block(study),
        metrics=common.metrics_block(study),
        knobs=block("knobs", common.knob_dicts(study.template)),
        results=common.results_block(study, ports),
        usual=str(min(USUAL_RUNS, most)),
        most=str(most),
    )
    turns = common.code_message(study, ports), Message("user", instruction)
    ask = Ask(purpose="plan.make", messages=turns)
    form = ask_for(ports, ask, PlanForm)
    metrics = tuple(
        DeclaredMetric(**one.model_dump())
        for one in form.metrics
        if one.name not in study.template.manifest.metrics
    )
    measured = {name for _, results in study.results for name in results.metrics}
    known = measured | {one.name for one in metrics}
    decides = tuple(name for name in dict.fromkeys(form.decides) if name in known)
    plan = Plan(runs=planned_runs(form.runs, study), metrics=metrics, decides=decides)
    ports.note(PlanMade(before=1, plan=plan))
    return replace(study, plan=plan), form.more_seeds


def revise_plan(study: Study, number: int, left: int, ports: Ports, planned: PlannedRun) -> Study:
    """The study with what run ``number`` showed beside what was expected, and the runs to make now,
    at most ``left``.
    """
    begin = render(
        "plan_revise_begin",
        study=common.study_block(study),
        metrics=common.metrics_block(study),
    )
    instruction = render(
        "plan_revise",
        last=last_run_block(study, ports),
        given_up=given_up_block(study),
        comparisons=comparisons_block(study, ports.blobs, planned),
        remaining=block("remaining", [asdict(one) for one in study.plan.runs]),
        left=str(left),
    )
    turns = (
        Message("user", begin, cache=True),
        *run_history(study, planned, ports),
        Message("user", instruction),
    )
    ask = Ask(purpose="plan.revise", messages=turns)
    form = ask_with_files(study, ports, ask, RevisionForm)
    finding: Finding = form.finding
    outcome = PlanOutcome(number=number, planned=planned, finding=finding, why=form.why)
    runs = study.plan.runs if form.runs is None else planned_runs(form.runs, study)
    plan = replace(study.plan, runs=runs[:left])
    ports.note(PlanMade(before=number + 1, plan=plan, outcome=outcome))
    return replace(study, plan=plan, outcomes=(*study.outcomes, outcome))


def planned_runs(forms: tuple[RunForm, ...], study: Study) -> tuple[PlannedRun, ...]:
    """The runs under names that occur once, each from a base that is known by then."""
    names = {run.name for run in study.runs} | {BASELINE}
    planned: list[PlannedRun] = []
    for form in forms:
        name, count = form.name, 2
        while name in names:
            name, count = f"{form.name} {count}", count + 1
        base = form.base if form.base in names else BASELINE
        planned.append(PlannedRun(**{**form.model_dump(), "name": name, "base": base}))
        names.add(name)
    return tuple(planned)
