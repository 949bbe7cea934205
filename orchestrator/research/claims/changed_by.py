"""By how much no run changes a metric: "no run lowers the loss by more than 0.05"."""

from __future__ import annotations

import re

from orchestrator.research.claims import words
from orchestrator.research.claims.bounds import plain_bound
from orchestrator.research.claims.ledger import Ledger, Side
from orchestrator.research.claims.metric_kinds import kind_of_metric
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    WholeReading,
    labels,
    measured_values,
    places_in,
    told_as,
)

_BY = re.compile(r"\bby\s+(?:more|at\s+least|over)\b[^,;:]{0,16}$")
_NO_RUN = re.compile(
    r"\b(?:no|none|neither|nor|never|not)\b[^,;:()]*$|\b(?:does|do|did)\s*(?:not|n't)\b[^,;:()]*$"
)
_LESS_IS_BETTER = frozenset({"loss", "ppl", "time", "memory"})


def change_reading(part: SentencePart, ledger: Ledger) -> WholeReading | None:
    """Whether no run changes a metric by as much as a sentence says; None where it says nothing of the kind."""
    bound, _ = plain_bound(part.before)
    sides = [side for side, one in words.CHANGES.items() if one.search(part.before)]
    if bound not in {"above", "at least"} or len(sides) != 1 or part.number.percent:
        return None
    if not (_BY.search(part.before) and _NO_RUN.search(part.before)) or not part.scope.metrics:
        return None
    others = tuple(n for n in part.scope.objects if n in part.named) or (0,)
    named = tuple(n for n in part.named if n not in others)
    runs = named or tuple(n for n in ledger.numbers if n not in others)
    held = []
    for metric, data in places_in(part.scope, ledger):
        sign = _sign(sides[0], metric, ledger)  # type: ignore[arg-type]  # the keys of CHANGES
        apart = [
            sign * (own[0] - base[0])
            for run in runs
            for other in others
            for one in data
            if (own := _value(part, run, one, metric, ledger))
            and (base := _value(part, other, one, metric, ledger))
        ]
        held += [not any(part.is_on(one, bound) for one in apart)] if apart else []
    what = f"none of {labels(runs, ledger)} {sides[0]} by {bound} {part.number.text} from {labels(others, ledger)}"
    return WholeReading(any(held), told_as(what, part.scope, ledger)) if held else None


def _value(
    part: SentencePart, run: int, data: str, metric: str, ledger: Ledger
) -> tuple[float, ...]:
    return measured_values(part.number, run, data, metric, part.text, ledger, seeds=False)


def _sign(side: Side, metric: str, ledger: Ledger) -> float:
    """The sign of a change to this side."""
    if side in {"up", "down"}:
        return 1.0 if side == "up" else -1.0
    better = ledger.better(metric, -1.0)
    less = kind_of_metric(ledger.metric(metric)) in _LESS_IS_BETTER if better is None else better
    return -1.0 if less == (side == "better") else 1.0
