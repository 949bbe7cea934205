"""Metrics of agreement, from how often each case occurs. Accept is the positive class.

A metric whose denominator is zero is None: FNR where people accepted nothing, for example. F1
without a true positive is 0 as soon as either side accepts a paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from orchestrator.agreement.joining import Case
from orchestrator.agreement.tables import BOTTOM, TOP

Counts = Mapping[Case, int]
"""How often each case occurs."""
RATES = ("accuracy", "balanced accuracy", "F1", "FPR", "FNR")
AUC, CORRELATION = "AUC", "rank correlation"
THRESHOLDS = range(BOTTOM, TOP + 1)
"""At threshold t the reviewer is taken to accept each paper with an overall score of t or more."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Papers by both decisions: true and false positives, true and false negatives."""

    tp: int
    fp: int
    tn: int
    fn: int

    def rates(self) -> dict[str, float | None]:
        """Each of :data:`RATES`, 0–1."""
        fpr = _ratio(self.fp, self.fp + self.tn)
        fnr = _ratio(self.fn, self.fn + self.tp)
        return {
            "accuracy": _ratio(self.tp + self.tn, self.tp + self.fp + self.tn + self.fn),
            "balanced accuracy": None if fpr is None or fnr is None else 1 - (fpr + fnr) / 2,
            "F1": _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn),
            "FPR": fpr,
            "FNR": fnr,
        }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def by_decision(counts: Counts) -> Confusion:
    """The reviewer's own decisions against people's."""
    at: Counter[tuple[bool, bool]] = Counter()
    for case, count in counts.items():
        if case.accepts is not None:
            at[case.accepted, case.accepts] += count
    return Confusion(at[True, True], at[False, True], at[False, False], at[True, False])


def by_score(counts: Counts) -> dict[float, tuple[int, int]]:
    """Overall score → (papers that people rejected, papers that they accepted), lowest first."""
    at: dict[float, list[int]] = {}
    for case, count in counts.items():
        if case.overall is not None:
            at.setdefault(case.overall, [0, 0])[case.accepted] += count
    return {score: (at[score][0], at[score][1]) for score in sorted(at)}


def at_threshold(scores: Mapping[float, tuple[int, int]], threshold: float) -> Confusion:
    """Scores of ``threshold`` or more, taken as Accept, against people's decisions."""
    tn = sum(no for score, (no, _) in scores.items() if score < threshold)
    fn = sum(yes for score, (_, yes) in scores.items() if score < threshold)
    fp = sum(no for no, _ in scores.values()) - tn
    return Confusion(sum(yes for _, yes in scores.values()) - fn, fp, tn, fn)


def area(scores: Mapping[float, tuple[int, int]]) -> float | None:
    """The area under the ROC curve: how often an accepted paper has the higher score of a pair with
    a rejected one, equal scores counted half.
    """
    won, below, accepted = 0.0, 0, 0
    for no, yes in scores.values():  # lowest score first
        won += yes * (below + no / 2)
        below, accepted = below + no, accepted + yes
    return _ratio(won, below * accepted)


def rank_correlation(counts: Counts) -> float | None:
    """Spearman's, of overall score and mean rating of people, with mean ranks for equal values."""
    pairs: Counter[tuple[float, float]] = Counter()
    for case, count in counts.items():
        if case.overall is not None and case.rating is not None:
            pairs[case.overall, case.rating] += count
    first, second = _ranks(pairs, 0), _ranks(pairs, 1)
    middle = (pairs.total() + 1) / 2
    both = squares = others = 0.0
    for (score, rating), count in pairs.items():
        x, y = first[score] - middle, second[rating] - middle
        both += count * x * y
        squares += count * x * x
        others += count * y * y
    return _ratio(both, sqrt(squares * others))


def _ranks(pairs: Counter[tuple[float, float]], side: int) -> dict[float, float]:
    """Value → its mean rank, from 1."""
    sizes: Counter[float] = Counter()
    for pair, count in pairs.items():
        sizes[pair[side]] += count
    ranks, below = {}, 0
    for value in sorted(sizes):
        ranks[value] = below + (sizes[value] + 1) / 2
        below += sizes[value]
    return ranks


def suggested_threshold(scores: Mapping[float, tuple[int, int]]) -> int:
    """The threshold at which the share of accepted papers is nearest to people's; of two, the higher."""
    people = sum(yes for _, yes in scores.values())

    def off(threshold: int) -> int:
        at = at_threshold(scores, threshold)
        return abs(at.tp + at.fp - people)

    return min(reversed(THRESHOLDS), key=off)
