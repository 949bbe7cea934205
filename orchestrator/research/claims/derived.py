"""Numbers that follow from settings: squares, shares, products, logarithms, what is left."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import product

from orchestrator.research.claims.ledger import (
    Ledger,
    Setting,
)
from orchestrator.research.claims.printed import Printed, printed_numbers
from orchestrator.research.claims.ties import tied

PART = re.compile(r"fraction|share|split|portion|ratio", re.IGNORECASE)


SPLIT = re.compile(
    r"\b(?:train\w*|validation|test\w*|held)\b.*\b(?:train\w*|validation|test\w*|held)\b"
)


_REST = re.compile(r"\b(?:remaining|rest|left|last|further|remain)\b")


_LOGARITHM = re.compile(r"\b(?:ln|log|guess\w*|chance|uniform\w*)\b", re.IGNORECASE)


def are_shares(text: str, settings: Iterable[Setting]) -> bool:
    """Whether the percentages of a text part a whole as the code does: 90, 5 and 5 at 0.9 and 0.95."""
    parts = [one.value for one in printed_numbers(text) if one.percent]
    by_name: dict[str, set[float]] = {}
    for one in settings:
        if 0 < one.value < 1:
            by_name.setdefault(one.name, set()).add(round(one.value, 6))
    cuts = [round(sum(parts[: place + 1]) / 100, 6) for place in range(len(parts))]
    cuts = cuts[:-1] if cuts and cuts[-1] == 1.0 and len(cuts) > 1 else cuts
    return bool(cuts) and any(
        all(cut in known or round(1 - cut, 6) in known for cut in cuts)
        and (len(cuts) > 1 or bool(PART.search(name)))
        for name, known in by_name.items()
    )


def derived_source(
    number: Printed, settings: Iterable[Setting], near: frozenset[str], text: str, ledger: Ledger
) -> str:
    """A square of a setting, a share of it, a logarithm of one, a product of two that are named."""
    if number.percent or number.spelled:
        return ""
    whole = [s for s in settings if s.value > 1 and s.value == int(s.value) and s.name]
    shares = [s for s in settings if 0 < s.value < 1 and PART.search(s.name)]
    squared = [one for one in whole if tied(one, near)]
    for one in whole:
        if one in squared and number.value == one.value**2 and number.value > 50:
            return f"the square of {one.name}"
        if (
            _LOGARITHM.search(text)
            and "." in number.text
            and abs(math.log(one.value) - number.value) <= number.step / 2
        ):
            return f"the logarithm of {one.name}"
    for one, share in product(squared, shares):
        part, square = one.value**2 * share.value, one.value**2
        if number.value > 50 and number.value in {
            round(part), math.ceil(part), math.floor(part), square - round(part), square - math.floor(part),
        }:  # fmt: skip
            return f"{share.name} of the square of {one.name}"
    rates = [s for s in settings if "rate" in s.name.lower() or s.name.lower() == "dropout"]
    for one, other in product(rates, rates):
        if one.name != other.name and math.isclose(
            one.value * other.value, number.value, rel_tol=1e-9
        ):
            return f"{one.name} times {other.name}"
    if _REST.search(text[max(0, number.start - 25) : number.end + 12].lower()):
        for one, other in product(whole, whole):
            if one.value - other.value == number.value and number.value > 9:
                return f"{one.name} less {other.name}"
    named = [s for s in settings if s.value > 0 and s.name and tied(s, near, names=True)]
    for one, other in product(named, named):
        results = (one.value * other.value, one.value / other.value)
        if one.name != other.name and number.value in results and number.value > 4:
            return f"{one.name} and {other.name}"
    totals = [count for what, count in ledger.counts if what in {"runs", "data sets"}]
    seeds = {count for what, count in ledger.counts if what.startswith("seeds")}
    if "model" in near and any(number.value == math.prod(totals) * count for count in seeds):
        return "runs times data sets times seeds"
    return ""
