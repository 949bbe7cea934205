"""Critique before writing: a second look at the study, which may ask for runs that the budget allows.

What it asks stays a fact of the study: the paper is written with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.model import REVIEWING, Ask, Message
from orchestrator.record.plan_notes import Criticized
from orchestrator.record.ports import Ports
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.looking.run_facts import run_facts
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.research.stages.experiments import make_runs
from orchestrator.research.stages.inquiry import AskingForm, ask_with_files
from orchestrator.research.stages.paper_facts import seed_metrics
from orchestrator.research.stages.plan import RunForm, critics_share, planned_runs
from orchestrator.research.stages.plots import draw_plots
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.study_opening import study_opening

_ROUNDS = 2
_MOST_RUNS = 2  # of one round

_Question = Annotated[str, Field(min_length=1, max_length=1000)]


class CritiqueForm(AskingForm):
    """The form of a critique."""

    questions: Annotated[tuple[_Question, ...], Field(max_length=6)] = ()
    runs: Annotated[tuple[RunForm, ...], Field(max_length=10)] = ()


def criticize(study: Study, ports: Ports) -> Study:
    """The study with the questions of a critic, and with the runs that it asked for."""
    for number in range(1, _ROUNDS + 1):
        scoped = ports.within(f"round_{number}")
        tried = len(study.runs) - 1 + len(study.given_up)
        left = max(0, min(_MOST_RUNS, critics_share(study) - tried))
        if number > 1 and not left:
            break  # it could only repeat what it asked
        form = ask_with_files(study, scoped, _ask(study, number, left, scoped), CritiqueForm)
        runs = planned_runs(form.runs, study)[:left]
        scoped.note(Criticized(questions=form.questions, runs=runs))
        study = replace(study, questions=(*study.questions, *form.questions))
        if not runs:
            break
        study = replace(study, plan=replace(study.plan, runs=runs))
        finished = len(study.runs)
        study = make_runs(study, tried + 1, tried + left, scoped)
        if len(study.runs) > finished:
            study = draw_plots(study, scoped.within("plots"))
    return study


def _ask(study: Study, number: int, left: int, ports: Ports) -> Ask:
    ledger = study_ledger(study, ports)
    instruction = render(
        "critique",
        round=str(number),
        rounds=str(_ROUNDS),
        limits=block("limits", common.limits_dict(study.policy)),
        noticed=block("noticed", _noticed(study, ledger, ports)),
        asked=block("asked_before", list(study.questions)),
        left=str(left),
    )
    opening = study_opening(study, ledger, ports, REVIEWING)
    return Ask(purpose="critique", messages=(opening, Message("user", instruction)))


def _noticed(study: Study, ledger: Ledger, ports: Ports) -> list[dict[str, Any]]:
    """Each run's facts that the study's opening does not tell."""
    *earlier, newest = study.runs
    rows = [run_facts(study, run, ports.blobs, whole=False) for run in earlier]
    last = run_facts(study, newest, ports.blobs)
    for row in rows:
        del row["values_per_seed"]
    shown = {name.removesuffix("_mean") for name in seed_metrics(ledger)}
    last["values_per_seed"] = {
        data: {
            name: value for name, value in values.items() if name.removesuffix("_mean") not in shown
        }
        for data, values in last["values_per_seed"].items()
    }
    told = {"datasets", "description"}
    return [{name: one for name, one in row.items() if name not in told} for row in (*rows, last)]
