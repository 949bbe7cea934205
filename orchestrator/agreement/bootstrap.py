"""Each metric with a 95 % interval: a percentile bootstrap over papers, with a fixed seed."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.agreement.joining import Case
from orchestrator.agreement.metrics import (
    AUC,
    CORRELATION,
    RATES,
    THRESHOLDS,
    Confusion,
    Counts,
    area,
    at_threshold,
    by_decision,
    by_score,
    rank_correlation,
    suggested_threshold,
)

DRAWS, SEED = 2000, 20220125
SIDES = (0.025, 0.975)
_Key = tuple[str, int]  # a metric and its threshold; 0: by the reviewer's own decision


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricEstimate:
    """A metric, None where undefined; its 95 % interval; how many papers it rests on, and on how many
    draws the interval does: those in which the metric is defined.
    """

    value: float | None
    low: float | None
    high: float | None
    papers: int
    draws: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A reviewer against people. ``decided``, ``area`` and ``correlation`` are of the reviewer's own
    decisions and scores, ``thresholds`` of the scores taken as decisions.
    """

    papers: int
    accepted: int
    confusion: Confusion
    scores: Mapping[float, tuple[int, int]]
    decided: Mapping[str, MetricEstimate]
    area: MetricEstimate
    correlation: MetricEstimate
    thresholds: Mapping[int, Mapping[str, MetricEstimate]]
    suggested: int | None


def measure(cases: Sequence[Case], draws: int = DRAWS, seed: int = SEED) -> Agreement:
    """The agreement on ``cases``; the same cases in the same order give the same intervals."""
    counts = Counter(cases)
    scores = by_score(counts)
    intervals = _intervals(cases, draws, seed)
    papers = {
        CORRELATION: sum(one.overall is not None and one.rating is not None for one in cases),
        AUC: sum(one.overall is not None for one in cases),
    }
    decided = sum(one.accepts is not None for one in cases)
    found = {
        key: MetricEstimate(
            value=value,
            low=intervals[key][0],
            high=intervals[key][1],
            papers=papers.get(key[0], papers[AUC] if key[1] else decided),
            draws=int(intervals[key][2]),
        )
        for key, value in _values(counts).items()
    }
    return Agreement(
        papers=len(cases),
        accepted=sum(one.accepted for one in cases),
        confusion=by_decision(counts),
        scores=scores,
        decided={name: found[name, 0] for name in RATES},
        area=found[AUC, 0],
        correlation=found[CORRELATION, 0],
        thresholds={t: {name: found[name, t] for name in RATES} for t in THRESHOLDS},
        suggested=suggested_threshold(scores) if scores else None,
    )


def _values(counts: Counts) -> dict[_Key, float | None]:
    scores = by_score(counts)
    found: dict[_Key, float | None] = {
        (AUC, 0): area(scores),
        (CORRELATION, 0): rank_correlation(counts),
    }
    found |= {(name, 0): value for name, value in by_decision(counts).rates().items()}
    for threshold in THRESHOLDS:
        rates = at_threshold(scores, threshold).rates()
        found |= {(name, threshold): value for name, value in rates.items()}
    return found


def _intervals(
    cases: Sequence[Case], draws: int, seed: int
) -> Mapping[_Key, tuple[float | None, float | None, float]]:
    """Metric → (lower end, upper end, draws in which it is defined)."""
    chance = random.Random(seed)  # noqa: S311 - papers are drawn, no secret is
    kinds = list(dict.fromkeys(cases))
    places = {kind: place for place, kind in enumerate(kinds)}
    papers = [places[case] for case in cases]
    seen: dict[_Key, list[float]] = defaultdict(list)
    for _ in range(draws):
        drawn = Counter(chance.choices(papers, k=len(papers)))
        for key, value in _values({kinds[at]: count for at, count in drawn.items()}).items():
            if value is not None:
                seen[key].append(value)
    ends: dict[_Key, tuple[float | None, float | None, float]] = defaultdict(
        lambda: (None, None, 0)
    )
    for key, values in seen.items():
        values.sort()
        ends[key] = (quantile(values, SIDES[0]), quantile(values, SIDES[1]), len(values))
    return ends


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of ``ordered`` values, linear between the two nearest."""
    place = share * (len(ordered) - 1)
    left = int(place)
    right = min(left + 1, len(ordered) - 1)
    return ordered[left] + (place - left) * (ordered[right] - ordered[left])
