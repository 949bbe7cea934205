"""What a run will take, before it starts: requests, tokens, US dollars and time, by stage.

It rests on recorded ideas: the studies that ship, and the finished ideas in the results folder. Nothing is
started and no vendor is asked.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.api.allowed_models import is_free
from orchestrator.api.estimate_costs import (
    BASELINE_ROW,
    PassedBudget,
    StageEstimate,
    passed_budgets,
    stage_estimates,
    total_of,
    unpriced_models,
)
from orchestrator.api.find_run import JOURNAL
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.core.errors import AisciError
from orchestrator.core.model import SWEEP
from orchestrator.machine.baseline_cache import baselines_of, kept_blobs
from orchestrator.record.paths import RunPaths
from orchestrator.research.estimate.expected import Expected, Wanted, expected
from orchestrator.research.estimate.idea_use import IdeaUse, shipped_uses
from orchestrator.research.estimate.measuring import code_lines, code_size, ideas_taken, values_of
from orchestrator.research.pins import read_pins
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.stages.plan import USUAL_RUNS, planned_at_most
from orchestrator.research.sweep.planning import FULL_RUNS, SMOKE_RUNS
from orchestrator.template.baseline import KeptBaseline

_OWN_RUNS = 20  # the newest ones in the results folder


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEstimate:
    """A run's total where each idea has so many experiments."""

    runs: float
    total: StageEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateBasis:
    """What an estimate rests on: how many studies that ship, and the day they were measured; ideas in the
    results folder, and runs there that could not be read; whether the model's speed was measured there;
    the seconds of the baseline (None: not known), and whether this machine measured them.
    """

    shipped: int
    measured: str
    own: int
    unread: int
    speed_measured: bool
    baseline_seconds: float | None
    baseline_measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeRun:
    """What a run takes that asks no language model: at most so many experiments an idea, each about as long as the
    baseline (None: not known), which this machine measured or not; ``seconds`` are those of all experiments.
    """

    runs: int
    baseline_seconds: float | None
    measured: bool
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will take; None and empty where no language model is asked, but for ``free``. ``fewest`` and
    ``most`` are the totals with few and with many experiments, ``unpriced`` the models without a known price, ``effort`` how much models are asked to think.
    """

    template: str
    scale: str
    model: str
    policy: str
    ideas: int
    stages: tuple[StageEstimate, ...] = ()
    likely: RunEstimate | None = None
    fewest: RunEstimate | None = None
    most: RunEstimate | None = None
    unpriced: tuple[str, ...] = ()
    effort: tuple[tuple[str, str], ...] = ()
    passes: tuple[PassedBudget, ...] = ()
    basis: EstimateBasis | None = None
    free: FreeRun | None = None


def estimate_run(request: RunRequest) -> Estimate:
    """What ``request`` will take; key, price and data may be missing. Raises :class:`UserError` as a run does."""
    return estimate_of(prepare(request, to_start=False).setup, request)


def estimate_of(spec: RunSpec, request: RunRequest) -> Estimate:
    """The same, of the set-up of ``request``."""
    head = Estimate(
        template=spec.template.name,
        scale=spec.scale,
        model=spec.model,
        policy=spec.policy.name,
        ideas=spec.ideas,
        effort=spec.effort,
    )
    if all(map(is_free, (spec.model, *(pin.name for pin in spec.roles)))):
        return replace(head, free=_free(spec, request) if spec.model == SWEEP else None)
    return _estimated(head, spec, request)


def _free(spec: RunSpec, request: RunRequest) -> FreeRun:
    kept, seconds = _baseline(spec)
    runs = SMOKE_RUNS if spec.scale == "smoke" else FULL_RUNS
    total = None
    if seconds is not None:
        first = 0.0 if kept and not request.fresh else seconds
        total = first + spec.ideas * runs * seconds
    return FreeRun(runs=runs, baseline_seconds=seconds, measured=bool(kept), seconds=total)


def _baseline(spec: RunSpec) -> tuple[list[KeptBaseline], float | None]:
    """The kept baselines of a template and scale, and the seconds of one: of the newest, or as declared."""
    kept = [one for one in baselines_of(spec.template.name) if one.scale == spec.scale]
    minutes = spec.template.scale(spec.scale).minutes
    return kept, kept[-1].seconds if kept else None if minutes is None else 60 * minutes


def _estimated(head: Estimate, spec: RunSpec, request: RunRequest) -> Estimate:
    own, unread = own_uses(request)
    shipped = shipped_uses()
    uses = (*shipped.ideas.values(), *own)
    kept, seconds = _baseline(spec)
    wanted = _wanted(spec, uses, kept, seconds)
    measured = 0.0 if kept and not request.fresh else seconds
    first = StageEstimate(stage=BASELINE_ROW, seconds=measured)

    def run_of(idea: Expected) -> tuple[StageEstimate, ...]:
        made = stage_estimates(spec, idea, seconds)
        return (first, *(one.times(spec.ideas) for one in made))

    def total(runs: int) -> RunEstimate:
        return RunEstimate(runs=runs, total=total_of(run_of(expected(wanted, uses, runs))))

    likely = expected(wanted, uses)
    stages = run_of(likely)
    idea = total_of(stage_estimates(spec, likely, seconds)[1:])
    return replace(
        head,
        stages=stages,
        likely=RunEstimate(runs=likely.runs, total=total_of(stages)),
        fewest=total(min(USUAL_RUNS, wanted.most_runs)),
        most=total(wanted.most_runs),
        unpriced=unpriced_models(spec),
        passes=passed_budgets(spec, idea, total_of(stages)),
        basis=EstimateBasis(
            shipped=len(shipped.ideas),
            measured=shipped.measured,
            own=len(own),
            unread=unread,
            speed_measured=likely.answer_seconds is not None,
            baseline_seconds=seconds,
            baseline_measured=bool(kept),
        ),
    )


def _wanted(
    spec: RunSpec, uses: Sequence[IdeaUse], kept: Sequence[KeptBaseline], seconds: float | None
) -> Wanted:
    """What is known of the run. How much its baseline reports is read from a kept one, else from ideas
    of the same template, else it is taken as usual.
    """
    same = [one.values for one in uses if one.template == spec.template.name]
    values = same[-1] if same else round(statistics.median(one.values for one in uses))
    if kept:
        values = values_of(kept[-1].result.files, kept_blobs(kept[-1]))
    return Wanted(
        template=spec.template.name,
        scale=spec.scale,
        model=spec.author,
        engines=bool(spec.engines),
        seeing=spec.seeing,
        code=code_size(code_lines(spec.template.files)),
        values=values,
        most_runs=planned_at_most(spec.policy, seconds or 0.0),
        reviewing=spec.reviewing,
    )


def own_uses(request: RunRequest) -> tuple[tuple[IdeaUse, ...], int]:
    """What the finished ideas of the newest runs in the results folder took, where a language model was
    asked and its tokens were counted; and how many runs could not be read.
    """
    journals = sorted(request.results.glob(f"*/*/{JOURNAL}"), key=lambda path: path.parent.name)
    found, unread = list[IdeaUse](), 0
    for journal in journals[-_OWN_RUNS:]:
        paths = RunPaths(journal.parent)
        try:
            pins = read_pins(paths)
            made_here = not (pins.imported or is_free(pins.model().name))
            taken = ideas_taken(paths) if made_here else ()
        except AisciError:  # a run that ended before its first line, or a record of another version
            unread += 1
            continue
        found += [one for one in taken if sum(step.prompt for step in one.steps)]
    return tuple(found), unread
