"""Words of a change or of no change, held to the differences of the record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from orchestrator.research.claims import words
from orchestrator.research.claims.clauses import Clause, clause_pairs, places_of
from orchestrator.research.claims.ledger import (
    Ledger,
    RunDifference,
    Side,
)
from orchestrator.research.claims.quantity import (
    Quantity,
)
from orchestrator.research.claims.scope import Scope

_USUAL = re.compile(r"\b(?:loss|losses|accuracy|accuracies|errors?|bits|perplexity)\b")


@dataclass(frozen=True, slots=True)
class _Said:
    """What the words of a clause say of a comparison."""

    word: str
    sides: tuple[Side, ...]
    none: bool
    clear: bool
    negated: bool = False


def _said(clause: Clause) -> _Said | None:
    text = clause.text.lower()
    none = words.NO_DIFFERENCE.search(text)
    clear = None if none else words.CLEAR_WORD.search(text)
    sides = tuple(side for side, pattern in words.CHANGES.items() if pattern.search(text))
    negated = bool(words.NEGATED.search(text)) and not none
    if len(sides) > 1 or (negated and clear):
        sides = ()
    clear = None if negated else clear
    several = [m for pattern in words.CHANGES.values() if (m := pattern.search(text))]
    found = none or clear or next((words.CHANGES[side].search(text) for side in sides), None)
    found = found or (several[0] if several and clause.marks and not negated else None)
    if found is None:
        return None
    return _Said(found[0], sides, none is not None, clear is not None, negated)  # type: ignore[arg-type]  # keys of CHANGES


def direction_problems(clause: Clause, scope: Scope, ledger: Ledger) -> list[str]:
    """What the words of a change in a clause say and the differences do not."""
    said = _said(clause)
    if said is None:
        return []
    if by_reference := [*(one for one in clause.marks if one.pair), *_from_to(clause)]:
        return _of_references(by_reference, said, clause, ledger)
    if _is_vague(clause, scope):
        return []
    if len(clause.metrics) > 1 and re.search(r"\bthan\b|\babove\b|\bbelow\b", clause.text):
        return _of_two_metrics(clause, said, scope, ledger)
    held = list(_held(said, scope, ledger))
    if not held or (all(held) if scope.every_run else any(held)):
        return []
    return [f"{said.word!r} is not what the numbers say ({scope.told(ledger)})"]


def _is_vague(clause: Clause, scope: Scope) -> bool:
    """Whether a clause leaves open what changes: its numbers stand elsewhere, or no metric is sure."""
    weak = bool(clause.metrics) and all(one.weak for one in clause.metrics)
    weak = weak and (len(scope.metrics) > 1 or not _USUAL.search(clause.text.lower()))
    silent = not (clause.runs or clause.metrics or clause.data)
    return weak or (silent and not clause.others)


def _held(said: _Said, scope: Scope, ledger: Ledger) -> Iterator[bool]:
    """For each pair of runs that a clause may compare: whether the words hold, at some of its places
    or, where the text says so, at every one.
    """
    for run, other in clause_pairs(scope, ledger):
        held = [
            _fits(found, metric, said, ledger)
            for dataset, metric in places_of(
                scope, ledger, few=scope.every_run or said.none or said.negated
            )
            if (found := ledger.difference(run, other, dataset, metric)) is not None
        ]
        if held:
            every = scope.every_data or ((said.none or said.negated) and not scope.metrics)
            yield all(held) if every else any(held)


def _of_two_metrics(clause: Clause, said: _Said, scope: Scope, ledger: Ledger) -> list[str]:
    """For "the training loss is above the test loss": one metric of a run beside another."""
    first, second = clause.metrics[0], clause.metrics[-1]
    sides = {"up", "down"} & set(said.sides)
    if first.weak or second.weak or len(sides) != 1 or said.negated:
        return []
    held = [
        (one.mean > two.mean) == ("up" in sides)
        for run, data in product(scope.runs, scope.data or ledger.datasets)
        if (one := ledger.cells.get((run, data, first.names[0])))
        and (two := ledger.cells.get((run, data, second.names[0])))
    ]
    every = scope.every_run or scope.every_data
    if not held or (all(held) if every else any(held)):
        return []
    return [f"{said.word!r} is not so between {first.names[0]} and {second.names[0]}"]


def _from_to(clause: Clause) -> Iterator[Quantity]:
    """What "from <number> to <number>" of one metric says: the change from the first to the second."""
    plain = [one for one in clause.marks if not one.pair]
    if len(plain) == 2 and re.search(r"\bfrom\b.*\bto\b", clause.text.lower()):
        before, after = plain
        if (before.metric, before.data) == (after.metric, after.data) and before.run != after.run:
            yield replace(after, kind="diff", against=before.run)


def _of_references(
    rows: Sequence[Quantity], said: _Said, clause: Clause, ledger: Ledger
) -> list[str]:
    """A clause held to the very differences that it prints, each to the words nearest to it."""
    problems = []
    for one in rows:
        found = ledger.difference(one.run, one.against or 0, one.data, one.metric)
        local = _said(_around(one, clause)) or (said if len(rows) == 1 else None)
        if found is None or local is None or one.kind in {"higher", "lower"}:
            continue
        if not _fits(found, one.metric, _last_side(local, one, clause), ledger):
            other = ledger.run(one.against or 0).label
            problems.append(
                f"{local.word!r} is not what its number says: {ledger.run(one.run).label} against {other}"
            )
    return problems


def _around(one: Quantity, clause: Clause) -> Clause:
    """The part of a clause between the number before and the one after, or within its brackets."""
    at = clause.places.get(one, 0)
    others = sorted(place for other, place in clause.places.items() if other != one)
    first = max((place + 1 for place in others if place < at), default=0)
    last = min((place for place in others if place > at), default=len(clause.text))
    opened = clause.text.rfind("(", first, at)
    if opened >= 0 and ")" not in clause.text[opened:at]:
        first = opened
    closed = clause.text.find(")", at)
    last = min(last, closed) if closed >= 0 else last
    return replace(clause, text=clause.text[first:last], places={one: at - first})


def _last_side(said: _Said, one: Quantity, clause: Clause) -> _Said:
    """Of several words of a change, the last before the number."""
    at = clause.places.get(one, len(clause.text))
    found = [
        (match.start(), side)
        for side, pattern in words.CHANGES.items()
        for match in pattern.finditer(clause.text[:at].lower())
    ]
    if len(found) < 2 or said.negated or said.none:
        return said
    return replace(said, sides=(max(found)[1],))  # type: ignore[arg-type]  # keys of CHANGES


def _fits(row: RunDifference, metric: str, said: _Said, ledger: Ledger) -> bool:
    """Whether a difference is as the words say: none, clear, to this side."""
    if said.none:
        return not row.clear
    if said.negated:
        return not row.clear or not _fits(row, metric, replace(said, negated=False), ledger)
    if said.clear and row.error is not None and not row.clear:
        return False
    return all(_is_on(side, row.value, metric, ledger) for side in said.sides)


def _is_on(side: Side, value: float, metric: str, ledger: Ledger) -> bool:
    if value == 0:
        return False
    if side in {"up", "down"}:
        return (value > 0) == (side == "up")
    better = ledger.better(metric, value)
    return better is None or better == (side == "better")
