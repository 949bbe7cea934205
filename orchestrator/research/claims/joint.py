"""Numbers whose run a sentence describes without its name: read together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations

from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.scope import Context, Scope, scope_of
from orchestrator.research.claims.tracing import found_facts


def joint_sources(
    numbers: Sequence[Printed],
    untraced: Sequence[Printed],
    seen: Named,
    ledger: Ledger,
    context: Context,
) -> dict[int, str]:
    """Sources for numbers whose run a sentence describes without its name. Two or more must be of one
    run, or of two that are compared: together they match by chance too rarely.
    """
    open_ones = []
    for number in numbers:
        scope = scope_of(number, seen, seen.masked, context)
        if scope.open_run and not number.spelled and "." in number.text:
            open_ones.append((number, scope))
    missing = {one.start for one in untraced if not one.spelled and not _is_percent(one)}
    if (
        len(open_ones) < 2
        or not missing
        or not missing <= {number.start for number, _ in open_ones}
    ):
        return {}
    two = bool(_TWO_SIDES.search(seen.masked.lower()))
    runs = [(n,) for n in ledger.numbers] + [
        (a, b) for a, b in permutations(ledger.numbers, 2) if two
    ]
    for chosen in runs:
        found = _explained(open_ones, chosen, seen.masked, ledger)
        if len(found) == len(open_ones) and len({fact.metric for fact in found.values()}) == 1:
            return {
                start: fact.source(ledger) for start, fact in found.items() if start in missing
            } | _percents(untraced, found)
    return {}


def _is_percent(number: Printed) -> bool:
    return number.percent and "." not in number.text


def _percents(untraced: Iterable[Printed], found: Mapping[int, Fact]) -> dict[int, str]:
    """Sources for the percentages that the change between two values makes."""
    values = [found[start].value for start in sorted(found) if found[start].kind == "value"]
    if len(values) != 2 or not values[0]:
        return {}
    change = 100 * (values[1] - values[0]) / values[0]
    return {
        one.start: "percent change between the two values beside it"
        for one in untraced
        if _is_percent(one) and is_printed(one, change, unsigned=True)
    }


_TWO_SIDES = re.compile(
    r"\b(?:from|versus|vs|against|compared|instead of|than|while|where|whereas|and)\b"
)


def _explained(
    rows: Iterable[tuple[Printed, Scope]], runs: tuple[int, ...], text: str, ledger: Ledger
) -> dict[int, Fact]:
    """The facts that numbers state if they are of these runs, in turn."""
    found: dict[int, Fact] = {}
    place = 0
    for number, scope in rows:
        one = runs[place % len(runs)]
        others = runs[:1] if len(runs) > 1 else ()
        wide = replace(scope, runs=(one,), subjects=runs[-1:], objects=others, open_run=False)
        after_error = bool(re.search(r"\+-\s*$", text[: number.start]))
        facts = found_facts(number, wide, text, ledger, after_error=after_error, paired=False)
        fact = next(facts, None)
        if fact is not None:
            found[number.start] = fact
            place += fact.kind == "value"
    return found
