"""The values of all other runs in a list: "run 2 is best with 0.16; the others reach 0.32, 0.19 and 0.17"."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from orchestrator.research.claims.bounds import plain_bound
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.lists import EACH, number_lists
from orchestrator.research.claims.mentions import NAME, Named
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    WholeReading,
    labels,
    measured_values,
    places_in,
    told_as,
)

_OTHERS = re.compile(
    rf"\b(?:(?:the|all|both)\s+(?:\w+\s+)?others|(?:the|all)\s+other\s+(?:\w+\s+)?(?:runs|models|variants)|the\s+rest|the\s+remaining\s+(?:\w+\s+)?(?:runs|models|variants|ones))\b"
    rf"[^\d;:{NAME}]{{1,60}}$"
)

_MEANT = re.compile(r"\b(?:others?|rest|remaining)\b")


@lru_cache(64)
def _lists(text: str) -> tuple[list[Printed], ...]:
    return tuple(number_lists(text))


def listed_others_reading(part: SentencePart, seen: Named, ledger: Ledger) -> WholeReading | None:
    """Whether each number of a list is of another of the runs that a sentence has not named; None where no list is said
    of the others.
    """
    text = seen.masked
    if part.number.spelled or not _MEANT.search(part.text):
        return None
    row = next((row for row in _lists(text) if part.number in row), [])
    if (
        not 1 < len(row) <= len(ledger.runs)
        or EACH.search(text)
        or any(one.spelled or one.times for one in row)
    ):
        return None
    plain = part.text[: row[0].start].lower()
    if not _OTHERS.search(plain) or plain_bound(plain)[0] not in {"", "about"}:
        return None
    named = {
        int(n) for one in seen.runs if one.start < row[0].start and not one.every for n in one.names
    }
    named = named or {*part.scope.alone, *part.scope.runs}
    others = tuple(n for n in ledger.numbers if n not in named)
    if not named or len(row) > len(others):
        return None
    held = [
        _fit(row, [*others], part, metric, one, ledger)
        for metric, data in places_in(part.scope, ledger)
        for one in data
    ]
    if not held:
        return None
    return WholeReading(
        any(held), told_as(f"the others, {labels(others, ledger)}", part.scope, ledger)
    )


def _fit(
    row: list[Printed], runs: list[int], part: SentencePart, metric: str, data: str, ledger: Ledger
) -> bool:
    """Whether each number is the mean of another run of these."""
    if not row:
        return True
    first, *rest = row
    number = replace(first, bound="")
    for run in runs:
        found = measured_values(number, run, data, metric, part.text, ledger, seeds=False)
        if found and is_printed(number, found[0]):
            left = [one for one in runs if one != run]
            if _fit(rest, left, part, metric, data, ledger):
                return True
    return False
