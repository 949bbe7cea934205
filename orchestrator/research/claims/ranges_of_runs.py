"""Ranges in which all runs lie, or all others: "all runs have a loss between 1.89 and 2.39"."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed, printed_numbers
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    WholeReading,
    labels,
    measured_values,
    places_in,
    told_as,
)

_FIRST = re.compile(r"\b(?:between|from)[\s$(]*$")
_AND = re.compile(r"[\s$%)]*(?:[a-z]{1,10}\s+)?(?:and|to)[\s$(]*")
_NOUN = r"(?:\w+\s+){0,2}?(?:runs|models|variants|settings|configurations)"
_ALL = re.compile(
    rf"\b(?:(?:all|every|each)\s+(?:of\s+)?(?:the\s+|our\s+)?{_NOUN}|every\s+run|each\s+run)\b(?!\s+(?:with|that|at|of|trained|but|except|other))"
)
_OTHERS = re.compile(rf"\b(?:(?:the|all)\s+others|(?:the|all)\s+other\s+{_NOUN}|the\s+rest)\b")
_MEANT = re.compile(r"\b(?:[Aa]ll|[Ee]very|[Ee]ach|others?|rest)\b")
_OF_SEEDS = re.compile(r"\bseeds?\b")


def range_reading(part: SentencePart, seen: Named, ledger: Ledger) -> WholeReading | None:
    """Whether all runs lie in a range, or all that a sentence does not name; None where it says no range of them."""
    if not _MEANT.search(seen.masked) and not _MEANT.search(part.text):
        return None
    pair = _range(part, seen)
    if pair is None or _OF_SEEDS.search(part.text.lower()):
        return None
    first, second = pair
    before = part.text[: first.start].lower()
    named = {int(n) for one in seen.runs if not one.every for n in one.names}
    if (found := _OTHERS.search(before)) and named:
        runs = tuple(n for n in ledger.numbers if n not in named)
    elif (found := _ALL.search(before)) and not named:
        runs = ledger.numbers
    else:
        return None
    if re.search(r"[;:.]\s", before[found.end() :]):
        return None
    held = [
        all(
            first.value - first.step / 2 <= value <= second.value + second.step / 2
            for run in runs
            for value in measured_values(
                replace(first, bound=""), run, one, metric, part.text, ledger, seeds=False
            )
        )
        for metric, data in places_in(part.scope, ledger)
        for one in data
    ]
    if not held:
        return None
    read = f"{labels(runs, ledger)}: from {first.text} to {second.text}"
    return WholeReading(any(held), told_as(read, part.scope, ledger))


@lru_cache(64)
def _numbers(text: str) -> tuple[Printed, ...]:
    return tuple(one for one in printed_numbers(text) if not one.spelled)


def _range(part: SentencePart, seen: Named) -> tuple[Printed, Printed] | None:
    """The two numbers of the range in which a number stands."""
    for first, second in pairwise(_numbers(seen.masked)):
        if part.number.start not in {first.start, second.start}:
            continue
        between = _AND.fullmatch(seen.masked, first.end, second.start)
        ahead = seen.masked[: first.start].lower()
        if between and _FIRST.search(ahead) and first.value < second.value:
            return first, second
    return None
