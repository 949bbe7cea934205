"""Words about all runs, such as "best", held to every run."""

from __future__ import annotations

import re

from orchestrator.research.claims import words
from orchestrator.research.claims.clauses import Clause, places_of
from orchestrator.research.claims.extreme_values import EXTREMES, extreme_run
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.printed import Printed, is_printed, printed_numbers
from orchestrator.research.claims.scope import Scope

_OF_A_RUN = re.compile(r"^(?:\W+\w+)?\W+(?:runs?|models?|variants?|value|single|seeds?)\b")


def extreme_problems(clause: Clause, scope: Scope, ledger: Ledger) -> list[str]:
    for pattern, what in EXTREMES:
        match = pattern.search(clause.text)
        if match is None or _OF_A_RUN.match(clause.text[match.end() :]) or "seed" in clause.text:
            continue
        subjects = tuple(
            int(one.names[0]) for one in clause.runs if not one.every and len(one.names) == 1
        )
        subjects = subjects or tuple(one.run for one in clause.marks[:1]) or scope.alone
        if not subjects and not clause.runs:
            subjects = _whose_number(clause, scope, what, ledger)
        own_name = any(what in name for name in scope.metrics) and (scope.runs or clause.marks)
        if len(subjects) != 1 or own_name:
            continue
        if words.NEGATED.search(clause.text.lower()) or any(
            one.kind in {"low", "high"} for one in clause.marks
        ):
            continue
        held = [_is_extreme(subjects[0], place, what, ledger) for place in places_of(scope, ledger)]
        if held and not (all(held) if scope.every_data else any(held)):
            return [f"{match[0]!r}: {ledger.run(subjects[0]).label} is not ({scope.told(ledger)})"]
    return []


def _whose_number(clause: Clause, scope: Scope, what: str, ledger: Ledger) -> tuple[int, ...]:
    """Of "the best loss is 1.10": the run that has this mean, the extreme one first; none where it is no run's."""
    numbers, places = [*printed_numbers(clause.text)], [*places_of(scope, ledger)]
    if len(numbers) != 1 or numbers[0].spelled:
        return ()
    found = [
        run
        for place in places
        for run in ledger.numbers
        if (cell := ledger.cells.get((run, *place)))
        and is_printed(numbers[0], cell.mean * _scale(numbers[0], place[1], ledger))
    ]
    found.sort(key=lambda run: not any(_is_extreme(run, place, what, ledger) for place in places))
    return tuple(found[:1])


def _scale(number: Printed, metric: str, ledger: Ledger) -> float:
    return 100.0 if number.percent and ledger.metric(metric).share else 1.0


def _is_extreme(run: int, place: tuple[str, str], what: str, ledger: Ledger) -> bool:
    dataset, metric = place
    own = ledger.cells.get((run, dataset, metric))
    if own is None:
        return False
    found = extreme_run(dataset, metric, what, ledger)
    return found is None or own.mean == ledger.cells[found, dataset, metric].mean
