"""What an idea is expected to take: the mean over recorded ideas, at an expected number of runs.

How much an idea takes follows above all the number of its runs, which its author chooses. So each figure
is fitted over the recorded numbers of runs, by least squares, between one that does not grow with them and
one that grows in proportion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from orchestrator.core.model import role_of
from orchestrator.record.asked_stages import STAGE_NAMES
from orchestrator.record.pins import ReviewPin
from orchestrator.research.estimate.idea_use import IdeaUse, StageJobs, StepUse
from orchestrator.research.stages.citing import citing_rounds
from orchestrator.research.stages.novelty import ROUNDS

PICTURE = 1500
"""Tokens of one picture that is shown: assumed; most vendors charge 300 to 3,000."""
STAGE_ORDER = ("ideas", *STAGE_NAMES)
# How many times an idea counts if its template and scale are the same, and again if its model is.
_ALIKE = 4
_SEARCHING = ("novelty.", "cite.")  # how often they are asked depends on the engines
_IMPROVE = "improve"  # is made only where a run asks for it
_LOOKING = "plots.look"  # is asked only of a model that sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is known of an idea before it begins. ``seeing`` are the roles that are shown pictures,
    ``code`` is the size of the template's code, ``most_runs`` what its time allows, ``reviewing`` how its
    paper is reviewed.
    """

    template: str
    scale: str
    model: str
    engines: bool
    seeing: frozenset[str]
    code: int
    values: int
    most_runs: int
    reviewing: ReviewPin = field(default_factory=ReviewPin)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedStep:
    """The requests of one purpose in one stage; tokens as in :class:`StepUse`."""

    stage: str
    purpose: str
    requests: float
    prompt: float
    cached: float
    written: float
    answer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one idea is expected to take. ``slower`` and ``answer_seconds`` are as in :class:`IdeaUse`; the
    latter is that of the same model alone.
    """

    runs: float
    steps: tuple[ExpectedStep, ...]
    jobs: tuple[StageJobs, ...]
    slower: float | None
    answer_seconds: float | None


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A recorded idea and how much it counts."""

    use: IdeaUse
    weight: float


def expected(wanted: Wanted, uses: Iterable[IdeaUse], runs: float | None = None) -> Expected:
    """What one idea takes, from at least one recorded idea; with ``runs`` runs, or as many as the
    recorded ones had: their median, within the time of ``wanted``.
    """
    known = [_Weighed(use, _weight(wanted, use)) for use in uses]
    if runs is None:
        runs = min(_median([(one.use.runs, one.weight) for one in known]), wanted.most_runs)
    keys = dict.fromkeys((one.stage, one.purpose) for each in known for one in each.use.steps)
    ordered = sorted((key for key in keys if key[0] in STAGE_ORDER), key=_order)
    steps = [_step(key, known, wanted, runs) for key in ordered]
    stages = dict.fromkeys(one.stage for each in known for one in each.use.jobs)
    if not wanted.reviewing.improve:
        stages.pop(_IMPROVE, None)
    own = [one for one in known if one.use.model == wanted.model]
    return Expected(
        runs=runs,
        steps=tuple(one for one in steps if one is not None),
        jobs=tuple(_jobs(stage, known, runs) for stage in stages),
        slower=_mean([(one.use.slower, one.weight) for one in known]),
        answer_seconds=_mean([(one.use.answer_seconds, one.weight) for one in own]),
    )


def _weight(wanted: Wanted, use: IdeaUse) -> float:
    same_work = (use.template, use.scale) == (wanted.template, wanted.scale)
    return float(_ALIKE ** (same_work + (use.model == wanted.model)))


def _order(key: tuple[str, str]) -> int:
    """By stage; the purposes of one stage stay in the order of a study."""
    return STAGE_ORDER.index(key[0])


def _step(
    key: tuple[str, str], known: Sequence[_Weighed], wanted: Wanted, runs: float
) -> ExpectedStep | None:
    """None for what such an idea is never asked."""
    stage, purpose = key
    sees = role_of(purpose) in wanted.seeing
    improved = wanted.reviewing.improve if stage == _IMPROVE else 1
    if (purpose == _LOOKING and not sees) or not improved:
        return None
    alike, most = _alike(key, known, wanted, runs)
    found = [(one.use, _of(one.use, key), one.weight) for one in alike]
    requests = most or _line([(use.runs, step.requests, w) for use, step, w in found], runs)
    requests = improved * _reviewed(wanted.reviewing).get(purpose, requests)
    asked = [(use, step, w * step.requests) for use, step, w in found if step.requests]
    text = _line(
        [(_facts(use), _text(step, use, wanted.code), w) for use, step, w in asked],
        runs * wanted.values,
    )
    shown = [(use.runs, step.pictures / step.requests, w) for use, step, w in asked if use.sees]
    prompt = requests * (text + PICTURE * (_line(shown, runs) if sees else 0.0))
    answers = [
        (use.runs, step.answer / step.answered, w) for use, step, w in asked if step.answered
    ]
    whole = sum(w * step.prompt for _, step, w in found) or 1.0
    return ExpectedStep(
        stage=stage,
        purpose=purpose,
        requests=requests,
        prompt=prompt,
        cached=prompt * sum(w * step.cached for _, step, w in found) / whole,
        written=prompt * sum(w * step.written for _, step, w in found) / whole,
        answer=requests * _line(answers, runs),
    )


def _reviewed(rules: ReviewPin) -> dict[str, float]:
    """How often each step of a review is asked: the recorded papers had one reviewer, who reflected once. Of
    more reflections, half are taken to end early.
    """
    more = max(0, rules.reflections - 1) / 2
    reflections = rules.reviews * (min(1, rules.reflections) + more)
    return {"review.form": rules.reviews, "review.reflect": reflections}


def _facts(use: IdeaUse) -> float:
    """How much there is to say of an idea's runs: each value of each run."""
    return float(use.runs * use.values)


def _alike(
    key: tuple[str, str], known: Sequence[_Weighed], wanted: Wanted, runs: float
) -> tuple[Sequence[_Weighed], float]:
    """The recorded ideas that show such a step, and the most that it is asked for where none does."""
    stage, purpose = key
    if stage == _IMPROVE:
        return [one for one in known if any(s.stage == stage for s in one.use.steps)], 0.0
    if not purpose.startswith(_SEARCHING):
        return known, 0.0
    same = [one for one in known if one.use.engines == wanted.engines]
    limits = {"novelty.decide": ROUNDS + 1, "cite.draft": citing_rounds(round(runs) + 1)}
    return same or known, 0.0 if same or not wanted.engines else limits.get(purpose, 0.0)


def _of(use: IdeaUse, key: tuple[str, str]) -> StepUse:
    """The step of a recorded idea; nothing if it had none."""
    found = (step for step in use.steps if (step.stage, step.purpose) == key)
    return next(found, StepUse(stage=key[0], purpose=key[1]))


def _text(step: StepUse, use: IdeaUse, code: int) -> float:
    """One prompt without pictures, with this template's code in place of the recorded one's."""
    whole = step.prompt - PICTURE * step.pictures + step.code * (code / max(use.code, 1) - 1)
    return whole / step.requests


def _line(points: Sequence[tuple[float, float, float]], at: float) -> float:
    """The value at ``at`` of the line through (x, value, weight), neither falling nor steeper than in
    proportion to x; 0 for no points.
    """
    whole = sum(weight for _, _, weight in points)
    if not whole:
        return 0.0
    x = sum(weight * one for one, _, weight in points) / whole
    value = sum(weight * one for _, one, weight in points) / whole
    spread = sum(weight * (one - x) ** 2 for one, _, weight in points)
    slope = sum(weight * (one - x) * (y - value) for one, y, weight in points)
    slope = min(max(slope / spread, 0.0), value / x) if spread and x else 0.0
    return max(0.0, value + slope * (at - x))


def _jobs(stage: str, known: Sequence[_Weighed], runs: float) -> StageJobs:
    def fitted(of: Callable[[StageJobs], float]) -> float:
        return _line(
            [
                (one.use.runs, sum(of(j) for j in one.use.jobs if j.stage == stage), one.weight)
                for one in known
            ],
            runs,
        )

    return StageJobs(stage=stage, runs=fitted(lambda j: j.runs), others=fitted(lambda j: j.others))


def _median(values: Sequence[tuple[float, float]]) -> float:
    """The smallest value with half of the weight at or below it."""
    half, below = sum(weight for _, weight in values) / 2, 0.0
    for value, weight in sorted(values):
        below += weight
        if below >= half:
            return value
    raise AssertionError("no recorded idea")


def _mean(values: Iterable[tuple[float | None, float]]) -> float | None:
    there = [(value, weight) for value, weight in values if value is not None]
    whole = sum(weight for _, weight in there)
    return sum(value * weight for value, weight in there) / whole if whole else None
