"""Notes about the plan of a study: made, revised, measured, given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.core.research import Plan, PlannedRun, PlanOutcome, Run
from orchestrator.record.pins import StrictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade(StrictRecord):
    """The plan before the run of this number: recorded before its container starts. ``outcome`` is
    what the run before it showed.
    """

    note: Literal["plan"] = "plan"
    before: int
    plan: Plan
    outcome: PlanOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrumented(StrictRecord):
    """The unchanged settings, measured with the metrics that the study adds."""

    note: Literal["instrumented"] = "instrumented"
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Criticized(StrictRecord):
    """What a critic asked before the paper was written, and the runs that it asked for."""

    note: Literal["criticized"] = "criticized"
    questions: tuple[str, ...]
    runs: tuple[PlannedRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunGivenUp(StrictRecord):
    """A planned run of which every attempt failed, and how the last one did."""

    note: Literal["run_given_up"] = "run_given_up"
    number: int
    planned: PlannedRun
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsCompleted(StrictRecord):
    """The model requested no run after this many."""

    note: Literal["completed"] = "completed"
    after: int
