"""Words of a change held to the very numbers that stand beside them by reference."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from orchestrator.research.claims import words
from orchestrator.research.claims.clauses import Clause
from orchestrator.research.claims.digits import OVER_SEEDS, correlation, gap
from orchestrator.research.claims.ledger import Ledger, RunDifference
from orchestrator.research.claims.mentions import NAME
from orchestrator.research.claims.quantity import OF_TWO_METRICS, ONE_RUN, Quantity
from orchestrator.research.claims.said import Said, holds, what_is_said

_COUNTS = {"higher": 1.0, "lower": -1.0}
"""Counts of seeds on a side, as the sign of that side."""
_FROM_TO = re.compile(r"\bfrom\b(?:(?!\bto\b).)*$")
_OWN_SUBJECT = re.compile(r"\b(?:and|but|yet|while|whereas)\s+(?:its|the|their|that)\b")
_THAN = re.compile(r"\b(?:than|above|below|over|under)\b")

_BETWEEN_TWO = re.compile(r"\b(?:than|above|below|over|under|exceeds?|surpass\w*)\b")


def printed_direction_problems(clause: Clause, ledger: Ledger) -> list[str]:
    """What the words of a clause say and the differences that it prints do not, each difference held to
    the words nearest to it.
    """
    said = what_is_said(clause)
    if said is None:
        return []
    if correlated := [one for one in clause.marks if one.kind == "correlation"]:
        return _of_correlations(correlated, said, ledger)
    if gaps := [one for one in clause.marks if one.kind == "gap"]:
        return gap_problems(gaps, clause, said, ledger)
    pairs = [one for one in clause.marks if one.pair]
    problems = [] if pairs else list(_of_two_numbers(clause, said, ledger))
    for one in pairs:
        found = _difference(one, ledger)
        whole = said if len(pairs) == 1 or _are_listed(pairs, clause) else None
        local = what_is_said(_around(one, clause)) or whole or _said_ahead(one, clause)
        if found is None or local is None or (one.kind in _COUNTS and not local.sides):
            continue
        if not holds(found, one.metric, _last_side(local, one, clause), ledger):
            other = ledger.run(one.against or 0).label
            problems.append(
                f"{local.word!r} is not what its number says: {ledger.run(one.run).label} against {other}"
            )
    return problems


_AND = re.compile("[\\ue1ff\\s,$]*(?:and[\\s$]+)?")
_EVERY_DATA = re.compile(r"\b(?:both|all|each|every)\b")


def _are_listed(pairs: list[Quantity], clause: Clause) -> bool:
    """Whether they are one list, of the same two runs, of which a clause says something on every data set."""
    if len({(one.run, one.against, one.metric) for one in pairs}) > 1:
        return False
    places = sorted(clause.places[one] for one in pairs)
    listed = all(_AND.fullmatch(clause.text, one + 1, two) for one, two in pairwise(places))
    return listed and bool(
        _EVERY_DATA.search(clause.text.lower()) or NAME in clause.text[: places[0]]
    )


def _said_ahead(one: Quantity, clause: Clause) -> Said | None:
    """For the second of "lowers the error (…) and raises the coverage (…)": what its own words say."""
    at = clause.places[one]
    first = max((place + 1 for place in clause.places.values() if place < at), default=0)
    ahead = clause.text[first:at]
    if not ahead.rstrip(" $").endswith("("):
        return None
    said = what_is_said(replace(clause, text=ahead, marks=(), places={}))
    return said if said is not None and len(said.sides) == 1 else None


def _of_correlations(marks: list[Quantity], said: Said, ledger: Ledger) -> list[str]:
    """For "it rises with the delay": the sign of the correlation that stands there."""
    against = {"up": -1.0, "down": 1.0}.get(said.sides[0] if len(said.sides) == 1 else "")
    signs = {math.copysign(1, correlation(one, ledger)) for one in marks}
    wrong = signs == {against} and not said.negated
    return [f"{said.word!r} is not the sign of its correlation"] if wrong else []


def gap_problems(marks: list[Quantity], clause: Clause, said: Said, ledger: Ledger) -> list[str]:
    """For "it is clearly above the raw one": where a clause does not name both metrics, which of them is the subject
    is said in too many ways, so that the words may hold either way round.
    """

    def fits(one: Quantity) -> bool:
        found = gap(one, ledger)
        turned = replace(found, value=-found.value)
        subject = _subject_of_gap(one, clause)
        ways = {one.metric: (found,), one.with_metric: (turned,)}.get(subject, (found, turned))
        return any(holds(each, one.metric, said, ledger) for each in ways)

    wrong = not any(map(fits, marks))
    return [f"{said.word!r} is not what its number says, of two metrics of a run"] if wrong else []


def _subject_of_gap(one: Quantity, clause: Clause) -> str:
    """The metric before "above" or "than", where the other one follows these words; empty where it is not sure."""
    than = _BETWEEN_TWO.search(clause.text.lower())
    named = [metric for metric in clause.metrics if not metric.weak]
    if than is None or len(_BETWEEN_TWO.findall(clause.text.lower())) != 1:
        return ""
    at, pair = clause.start + than.start(), {one.metric, one.with_metric}
    subject = pair & {name for metric in named if metric.end <= at for name in metric.names}
    other = pair & {name for metric in named if metric.start > at for name in metric.names}
    sure = len(subject) == len(other) == 1 and subject != other
    return subject.pop() if sure else ""


_TYPED = re.compile(r"\bfrom\s+(-?\d+(?:\.\d+)?)\b[^;]{0,60}?\bto\s+(-?\d+(?:\.\d+)?)(?![\w.]*\d)")


def typed_change_problems(clause: Clause) -> list[str]:
    """For "falls from 0.2 to 0.4": typed numbers that go the other way."""
    match = _TYPED.search(clause.text)
    said = what_is_said(clause) if match is not None else None
    if match is None or said is None or said.negated or len(said.sides) != 1:
        return []
    change, side = float(match[2]) - float(match[1]), said.sides[0]
    wrong = (side == "up" and change < 0) or (side == "down" and change > 0)
    return [f"{said.word!r} is not so from {match[1]} to {match[2]}"] if wrong else []


def prints_differences(clause: Clause) -> bool:
    """Whether a clause prints a difference, a correlation, or a change from one number to another."""
    return any(one.pair or one.kind in OF_TWO_METRICS for one in clause.marks) or bool(
        list(_from_to(clause))
    )


def _difference(one: Quantity, ledger: Ledger) -> RunDifference | None:
    if one.kind in _COUNTS:
        return RunDifference(value=_COUNTS[one.kind], error=0.0)
    return ledger.difference(one.run, one.against or 0, one.data, one.metric)


def _of_two_numbers(clause: Clause, said: Said, ledger: Ledger) -> Iterator[str]:
    """For "falls from A to B" and "at A it is lower than at B": the first beside the second."""
    for first, second in _from_to(clause):
        between = clause.text[clause.places[first] + 1 : clause.places[second]].lower()
        pair = (first, second) if _THAN.search(between) else (second, first)
        found = _apart(*pair, ledger)
        until = replace(clause, text=clause.text[: clause.places[second] + 1])
        here = what_is_said(until) or said
        if found.value and not here.none and not holds(found, second.metric, here, ledger):
            labels = [ledger.run(one.run).label for one in (first, second)]
            yield f"{here.word!r} is not so between its numbers, of {labels[0]} and {labels[1]}"


def _apart(one: Quantity, other: Quantity, ledger: Ledger) -> RunDifference:
    """``one`` less ``other``, with an error where both are means on the same data."""
    if one.data == other.data and one.kind not in {"low", "high", "median"}:
        found = ledger.difference(one.run, other.run, one.data, one.metric)
        if found is not None:
            return found
    return RunDifference(
        value=printed_value_of(one, ledger) - printed_value_of(other, ledger), error=None
    )


def _from_to(clause: Clause) -> Iterator[tuple[Quantity, Quantity]]:
    plain = sorted(
        (one for one in clause.marks if one.kind in ONE_RUN), key=lambda one: clause.places[one]
    )
    for first, second in pairwise(plain):
        between = clause.text[clause.places[first] + 1 : clause.places[second]].lower()
        ahead = clause.text[: clause.places[first]].lower()
        alike = (first.metric, first.kind) == (second.metric, second.kind)
        if (alike and re.search(r"\bto\b", between) and _FROM_TO.search(ahead)) or (
            alike and first.data == second.data and _compares(between)
        ):
            yield first, second


def _compares(between: str) -> bool:
    """Whether the words between two numbers set the first beside the second: "…, lower than that of …"."""
    than = _THAN.search(between)
    return than is not None and any(
        pattern.search(between[: than.end()]) for pattern in words.CHANGES.values()
    )


def printed_value_of(one: Quantity, ledger: Ledger) -> float:
    """The mean, lowest, highest or median value that a number by reference prints."""
    cell = ledger.cells[(one.run, one.data, one.metric)]
    if one.kind in OVER_SEEDS and cell.values:
        return OVER_SEEDS[one.kind](cell.values)
    return cell.mean


def _around(one: Quantity, clause: Clause) -> Clause:
    """The part of a clause between the number before and the one after, or within its brackets."""
    at = clause.places.get(one, 0)
    others = sorted(place for other, place in clause.places.items() if other != one)
    first = max((place + 1 for place in others if place < at), default=0)
    last = min((place for place in others if place > at), default=len(clause.text))
    opened = clause.text.rfind("(", first, at)
    if opened >= 0 and ")" not in clause.text[opened:at]:
        first = opened
    if (own := _OWN_SUBJECT.search(clause.text, at, last)) is not None:
        last = own.start()
    closed = clause.text.find(")", at)
    last = min(last, closed) if closed >= 0 else last
    return replace(clause, text=clause.text[first:last], places={one: at - first})


def _last_side(said: Said, one: Quantity, clause: Clause) -> Said:
    """Of several words of a change, the last before the number."""
    at = clause.places.get(one, len(clause.text))
    found = [
        (match.start(), side)
        for side, pattern in words.CHANGES.items()
        for match in pattern.finditer(clause.text[:at].lower())
    ]
    # One alone is taken where the words behind the number, which are the next one's, say another side.
    if len(found) < (2 if said.sides else 1) or said.negated or said.none:
        return said
    return replace(said, sides=(max(found)[1],))  # type: ignore[arg-type]  # keys of CHANGES
