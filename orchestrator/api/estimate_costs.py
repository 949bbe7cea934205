"""From what an idea is expected to take to US dollars and time by stage, and to the budgets that it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.api.allowed_models import is_free
from orchestrator.api.effort_use import EffortUse
from orchestrator.core.model import DEFAULT_ROLE, role_of
from orchestrator.models.bounds import batch_prices, cost_of
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT
from orchestrator.record.asked_stages import LEFT_OUT
from orchestrator.record.pins import ModelPin
from orchestrator.research.estimate.expected import STAGE_ORDER, Expected, ExpectedStep
from orchestrator.research.run_spec import RunSpec

TOKENS_A_SECOND = 50.0
"""Of an answer, assumed for a model that no run in the results folder has measured."""
SECONDS_BEFORE_ANSWER = 2.0
"""Seconds before an answer begins, assumed likewise."""
JOB_SECONDS = 3.0
"""Of a container that edits, draws or compiles, assumed."""
BASELINE_ROW = "baseline"
_IN_BATCHES = ("review.form", "review.reflect")
"""The purposes that go out in batches where reviews do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEstimate:
    """One stage of all ideas. Tokens of prompts, of these cached, of answers. ``usd`` is None where a
    price is not known, ``seconds`` where the time of the baseline is not.
    """

    stage: str
    requests: float = 0.0
    prompt: float = 0.0
    cached: float = 0.0
    answer: float = 0.0
    usd: float | None = 0.0
    seconds: float | None = 0.0

    def __add__(self, more: StageEstimate) -> StageEstimate:
        return replace(
            self,
            requests=self.requests + more.requests,
            prompt=self.prompt + more.prompt,
            cached=self.cached + more.cached,
            answer=self.answer + more.answer,
            usd=_sum(self.usd, more.usd),
            seconds=_sum(self.seconds, more.seconds),
        )

    def times(self, count: float) -> StageEstimate:
        """The same for ``count`` ideas."""
        return replace(
            self,
            requests=count * self.requests,
            prompt=count * self.prompt,
            cached=count * self.cached,
            answer=count * self.answer,
            usd=None if self.usd is None else count * self.usd,
            seconds=None if self.seconds is None else count * self.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedBudget:
    """A budget that an estimate passes: its key in the policy, what it allows, and the estimate, in US
    dollars, tokens, requests or seconds.
    """

    key: str
    allowed: float
    expected: float


def stage_estimates(
    spec: RunSpec, idea: Expected, baseline: float | None
) -> tuple[StageEstimate, ...]:
    """What one idea takes by stage; ``baseline`` is the seconds of the baseline, if they are known."""
    use = EffortUse(spec)
    return tuple(_stage(name, spec, use, idea, baseline) for name in STAGE_ORDER)


def total_of(stages: Sequence[StageEstimate]) -> StageEstimate:
    """The sum of stages: unknown where one of them is."""
    return sum(stages, StageEstimate(stage="total"))


def unpriced_models(spec: RunSpec) -> tuple[str, ...]:
    """The names of the models whose price is not known."""
    pins = (_pin(spec), *spec.roles)
    return tuple(dict.fromkeys(pin.name for pin in pins if _prices(pin) is None))


def passed_budgets(
    spec: RunSpec, idea: StageEstimate, run: StageEstimate
) -> tuple[PassedBudget, ...]:
    """The budgets of the policy that one idea, or the run, passes."""
    found = []
    for of, limits, use in (("idea", spec.policy.idea, idea), ("run", spec.policy.run, run)):
        pairs = (
            (f"{of}.budget.usd", limits.usd, use.usd),
            (f"{of}.budget.tokens", limits.tokens, use.prompt + use.answer),
            (f"{of}.budget.requests", limits.requests, use.requests),
            (f"{of}.wall", limits.wall, use.seconds),
        )
        found += [
            PassedBudget(key=key, allowed=most, expected=one)
            for key, most, one in pairs
            if one is not None and one > most
        ]
    return tuple(found)


def _with_thought(step: ExpectedStep, use: EffortUse) -> ExpectedStep:
    """The step with what its model is assumed to think, which vendors count with the answer."""
    return replace(step, answer=step.answer + step.requests * use.thought(step.purpose))


def _stage(
    name: str, spec: RunSpec, use: EffortUse, idea: Expected, baseline: float | None
) -> StageEstimate:
    if name in LEFT_OUT[spec.leave_out]:
        return StageEstimate(stage=name)
    steps = [_with_thought(one, use) for one in idea.steps if one.stage == name]
    total = total_of([_asked(one, spec, idea.answer_seconds) for one in steps])
    jobs = [one for one in idea.jobs if one.stage == name]
    seconds = JOB_SECONDS * sum(one.others for one in jobs)
    runs = sum(one.runs for one in jobs)
    one_run = None
    if baseline is not None and idea.slower is not None:
        one_run = min(idea.slower * baseline, spec.policy.limits("experiment").wall)
    experiments = 0.0 if not runs else None if one_run is None else runs * one_run
    return replace(total, stage=name, seconds=_sum(_sum(total.seconds, seconds), experiments))


def _asked(step: ExpectedStep, spec: RunSpec, answer_seconds: float | None) -> StageEstimate:
    """The requests of one purpose, at the price of the model that answers them."""
    role = role_of(step.purpose)
    pin = next((one for one in spec.roles if one.role == role), _pin(spec))
    usage = [round(one) for one in (step.prompt, step.answer, step.cached, step.written)]
    prices = _prices(pin)
    if prices is not None and spec.reviewing.batch and step.purpose in _IN_BATCHES:
        prices = batch_prices(prices)
    speed = step.answer / TOKENS_A_SECOND + SECONDS_BEFORE_ANSWER * step.requests
    return StageEstimate(
        stage=step.stage,
        requests=step.requests,
        prompt=step.prompt,
        cached=step.cached,
        answer=step.answer,
        usd=None if prices is None else cost_of(prices, *usage),
        seconds=speed if answer_seconds is None else step.answer * answer_seconds,
    )


def _pin(spec: RunSpec) -> ModelPin:
    return ModelPin(name=spec.model, author=spec.author, role=DEFAULT_ROLE, prices=spec.prices)


def _prices(pin: ModelPin) -> dict[str, float] | None:
    """US dollars per token; None where they are not known, never 0 for that."""
    if is_free(pin.name):
        return {PER_PROMPT: 0.0, PER_COMPLETION: 0.0}
    known = dict(pin.prices)
    return known if PER_PROMPT in known and PER_COMPLETION in known else None


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
