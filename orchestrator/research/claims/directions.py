"""Words of a change or of no change, held to the differences of the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from orchestrator.research.claims.clauses import Clause, clause_pairs, places_of
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.mentions import NAME, Mention
from orchestrator.research.claims.printed_directions import (
    gap_problems,
    printed_direction_problems,
    printed_value_of,
    prints_differences,
)
from orchestrator.research.claims.quantity import ONE_RUN, Quantity
from orchestrator.research.claims.said import Said, holds, what_is_said
from orchestrator.research.claims.scope import Scope

_IT_BESIDE = re.compile(
    r"\bit (?:lies|is|stays|stood|remains|was) (?:\w+ )?(?:above|below|higher|lower)\b"
)
"""What "it" is, the sentence before says: beside the one metric that is named here."""
_DESCRIBED = re.compile(
    r"\s*(?:with|without|under|at)\s+(?!(?:it|this|that|these|those)\b)", re.IGNORECASE
)
"""A run by its conditions, "with fifty first people …": which one that is, no name says."""
_OF_THE_TWO = re.compile(r"\bthe (?:\w+er|better|worse|less) of (?:the two|both|them|these)\b")
"""Which two these are, the sentence has said, with what else it has compared them."""
_ABOVE = re.compile(r"\b(?:above|below)\b[^,;]{0,60}$")
_LEFT_OPEN = re.compile(r"\b(?:above|below)\s*[.)]?\s*$")
"""For "run 3 is below 2, that of run 2 above"."""
_NOT_ALL = re.compile(
    r"\b(?:not\s+(?:all|every|each)|hardly\s+any|(?:only\s+a\s+)?few|scarcely\s+any|barely\s+any)\b"
)
_EACH = re.compile(
    rf"\b(?:[Nn]either\s+(?:the\s+)?{NAME}+\s+nor|[Bb]oth\s+(?:the\s+)?{NAME}+\s+and)\s+(?:the\s+)?{NAME}"
    rf"|^\W*{NAME}+\s+(?:both|all)\b"
)
_USUAL = re.compile(r"\b(?:loss|losses|accuracy|accuracies|errors?|bits|perplexity)\b")


def direction_problems(clause: Clause, scope: Scope, ledger: Ledger, text: str = "") -> list[str]:
    """What the words of a change in a clause say and the differences do not; ``text`` is the clause's, unmasked."""
    said = what_is_said(clause)
    if said is None:
        return []
    if (printed := _of_printed(clause, said, scope, ledger)) is not None:
        return printed
    if _is_vague(clause, scope, text or clause.text):
        return []
    if len(clause.metrics) > 1 and re.search(r"\bthan\b|\babove\b|\bbelow\b", clause.text):
        return _of_two_metrics(clause, said, scope, ledger)
    held = list(_held(said, scope, ledger))
    each = scope.every_run or _of_each(clause, scope)
    if not held or (all(held) if each else any(held)):
        return []
    return [f"{said.word!r} is not what the numbers say ({scope.told(ledger)})"]


def _of_each(clause: Clause, scope: Scope) -> bool:
    """Whether it is said of each of two named runs beside one: "neither A nor B is above the baseline"."""
    pair = _EACH.search(clause.text)
    return pair is not None and len(scope.subjects) > 1 and len(scope.objects) == 1


def _of_printed(clause: Clause, said: Said, scope: Scope, ledger: Ledger) -> list[str] | None:
    """What the words say and the numbers that stand there do not; None where no numbers are compared."""
    if prints_differences(clause):
        return printed_direction_problems(clause, ledger)
    if gaps := _gaps_beside(clause, scope):
        return gap_problems(gaps, clause, said, ledger)
    beside = _beside_another_metric(clause, said, ledger)
    return _beside_a_named_metric(clause, said, ledger) if beside is None else beside


def _gaps_beside(clause: Clause, scope: Scope) -> list[Quantity]:
    """For "the raw and the averaged loss agree, with a difference of …": the gaps that its sentence prints of what a
    clause without numbers names.
    """
    if clause.marks or len(clause.runs) > 1:
        return []
    return [
        one
        for one in clause.others
        if one.kind == "gap"
        and one.run in scope.runs
        and {one.metric, one.with_metric} & {*scope.metrics}
    ]


def _is_vague(clause: Clause, scope: Scope, text: str) -> bool:
    """Whether a clause leaves open what changes: its numbers stand elsewhere, or no metric is sure."""
    if _NOT_ALL.search(text) or _LEFT_OPEN.search(clause.text):
        return True
    weak = bool(clause.metrics) and all(one.weak for one in clause.metrics)
    weak = weak and (len(scope.metrics) > 1 or not _USUAL.search(clause.text.lower()))
    if _IT_BESIDE.search(clause.text) and len(clause.metrics) == 1:
        return True
    if _OF_THE_TWO.search(clause.text):
        return True
    if _DESCRIBED.match(clause.text) and not (clause.runs or clause.data or clause.marks):
        return True
    if len(clause.marks) == 1 and not clause.runs and _beside_a_number(clause):
        return True
    silent = not (clause.runs or clause.metrics or clause.data)
    return weak or (silent and not clause.others)


def _beside_a_number(clause: Clause) -> bool:
    """For "both stay above the bigram loss of 2.25": what stands beside that number, the sentence before says."""
    (mark,) = clause.marks
    return bool(_ABOVE.search(clause.text[: clause.places[mark]].lower()))


def _held(said: Said, scope: Scope, ledger: Ledger) -> Iterator[bool]:
    """For each pair of runs that a clause may compare: whether the words hold, at some of its places
    or, where the text says so, at every one.
    """
    for run, other in clause_pairs(scope, ledger):
        held = [
            holds(found, metric, said, ledger)
            for dataset, metric in places_of(
                scope, ledger, few=scope.every_run or said.none or said.negated or said.clear
            )
            if (found := ledger.difference(run, other, dataset, metric)) is not None
        ]
        if held:
            every = scope.every_data or ((said.none or said.negated) and not scope.metrics)
            yield all(held) if every else any(held)


def _text_of(one: Mention, clause: Clause) -> str:
    return clause.text[one.start - clause.start : one.end - clause.start].strip()


_BESIDE = re.compile(r"\b(?:above|below|over|under|than|exceeds?)\b")


def _beside_another_metric(clause: Clause, said: Said, ledger: Ledger) -> list[str] | None:
    """For "with 2.39 and 2.33 both stay above the bigram loss of 2.25": printed means beside the one of another metric
    that stands last; None where a clause prints nothing of the kind.
    """
    marks = sorted(
        (one for one in clause.marks if one.kind in ONE_RUN), key=lambda one: clause.places[one]
    )
    if len(marks) < 2 or len(marks) != len(clause.marks) or said.negated or said.none:
        return None
    *firsts, last = marks
    between = clause.text[clause.places[firsts[-1]] : clause.places[last]].lower()
    sides = {"up", "down"} & set(said.sides)
    another = all(one.metric != last.metric for one in firsts)
    if not another or len(sides) != 1 or not _BESIDE.search(between):
        return None
    held = [
        (printed_value_of(one, ledger) > printed_value_of(last, ledger)) == ("up" in sides)
        for one in firsts
    ]
    return [] if all(held) else [f"{said.word!r} is not so beside {last.metric}"]


def _beside_a_named_metric(clause: Clause, said: Said, ledger: Ledger) -> list[str] | None:
    """For "its mean, 2.2, is below the bigram loss": the one printed number beside that metric of the same run and
    data; None where a clause says nothing of the kind.
    """
    marks = [one for one in clause.marks if one.kind in ONE_RUN]
    sides = {"up", "down"} & set(said.sides)
    if len(marks) != 1 or len(clause.marks) != 1 or len(sides) != 1 or said.negated or said.none:
        return None
    (mark,) = marks
    at = clause.places[mark]
    named = [one for one in clause.metrics if one.start - clause.start > at and not one.weak]
    if len(named) != 1 or mark.metric in named[0].names:
        return None
    if not _BESIDE.search(clause.text[at : named[0].start - clause.start].lower()):
        return None
    other = ledger.cells.get((mark.run, mark.data, named[0].names[0]))
    if other is None:
        return None
    wrong = (printed_value_of(mark, ledger) > other.mean) != ("up" in sides)
    return [f"{said.word!r} is not so beside {named[0].names[0]}"] if wrong else []


def _of_two_metrics(clause: Clause, said: Said, scope: Scope, ledger: Ledger) -> list[str]:
    """For "the training loss is above the test loss": one metric of a run beside another."""
    first, second = clause.metrics[0], clause.metrics[-1]
    sides = {"up", "down"} & set(said.sides)
    one_word = any(" " not in _text_of(one, clause) for one in (first, second))
    if first.weak or second.weak or one_word or len(sides) != 1 or said.negated:
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
