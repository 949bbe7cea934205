"""Bounds that a sentence says of all runs, of all others or of none: "all others exceed 1.0", "no run is below 0.95"."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

from orchestrator.research.claims.bounds import Bound
from orchestrator.research.claims.clause_cuts import clause_around
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.scope import Scope

_OTHERS = re.compile(
    r"\b(?:(?:all|both|the|each) others?|the rest|every other|(?:all|the|both) other (?:\w+ )?(?:runs|models|variants))\b"
)
_NONE = re.compile(r"\b(?:no|none|neither|never|nowhere)\b")
_ALL = re.compile(r"\b(?:all|every|each|both|always|everywhere)\b")
_OPPOSITE: dict[Bound, Bound] = {
    "above": "at most", "below": "at least", "at least": "below", "at most": "above",
}  # fmt: skip


def universal_source(number: Printed, scope: Scope, text: str, ledger: Ledger) -> str:
    """Where a bound comes from that holds for all runs, or all that a sentence does not name; empty where it does not."""
    if number.bound not in _OPPOSITE or not scope.metrics or number.times:
        return ""
    before = text[: number.start].lower()
    clause = clause_around(number.start, number.end, text).lower()
    near = before[max(before.rfind(clause[:12]), 0) :]
    if _OTHERS.search(near):
        runs = tuple(n for n in ledger.numbers if n not in scope.alone)
    elif (_NONE.search(near) or _ALL.search(near)) and not scope.alone:
        runs = ledger.numbers
    else:
        return ""
    # "never below 0.95" has its bound turned round already
    denied = re.search(r"\b(?:no|none|neither)\b", near) is not None
    said = replace(number, bound=_OPPOSITE[number.bound] if denied else number.bound, far=True)
    changed = tuple(n for n in runs if n)
    for metric, some in product(scope.metrics, (runs, changed)):
        if some and _holds(said, some, metric, scope, ledger):
            return (
                f"{'all runs' if 0 in some else 'all changed runs'}, {metric}: bound of the means"
            )
    return ""


def _holds(
    number: Printed, runs: tuple[int, ...], metric: str, scope: Scope, ledger: Ledger
) -> bool:
    scale = 100.0 if number.percent and ledger.metric(metric).share else 1.0
    cells = [
        cell
        for run, data in product(runs, scope.data or ledger.datasets)
        if (cell := ledger.cells.get((run, data, metric)))
    ]
    return bool(cells) and all(is_printed(number, cell.mean * scale) for cell in cells)
