"""Numbers that follow from settings: squares, shares, products, logarithms, what is left."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import product

from orchestrator.research.claims.ledger import (
    CodeSetting,
    Ledger,
)
from orchestrator.research.claims.printed import Printed, printed_numbers
from orchestrator.research.claims.ties import tied

PART = re.compile(r"fraction|split|portion", re.IGNORECASE)


SPLIT = re.compile(
    r"\b(?:train\w*|validation|test\w*|held)\b.*\b(?:train\w*|validation|test\w*|held)\b"
)


OF_HUNDRED = re.compile(r"\b\d{1,2}(?:\s*(?:to|:|/|-)\s*\d{1,2}){1,2}\b")
"""Shares of a whole without a sign: "90 to 5 to 5"."""


_AS_MANY = re.compile(r"\s*times (?:as (?:many|long|large|much)|more|the number)\b")
_REST = re.compile(r"\b(?:remaining|rest|left|last|further|remain)\b")


_LOGARITHM = re.compile(r"\b(?:ln|log|guess\w*|chance|uniform\w*)\b", re.IGNORECASE)


def are_shares(text: str, settings: Iterable[CodeSetting]) -> bool:
    """Whether the percentages of a text part a whole as the code does: 90, 5 and 5 at 0.9 and 0.95."""
    parts = [one.value for one in printed_numbers(text) if one.percent]
    if (match := OF_HUNDRED.search(text)) and not parts:
        parts = [float(part) for part in re.findall(r"\d+", match[0])]
        if sum(parts) != 100:
            return False
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


_Settings = tuple[CodeSetting, ...]


def derived_source(
    number: Printed,
    settings: Iterable[CodeSetting],
    near: frozenset[str],
    text: str,
    ledger: Ledger,
) -> str:
    """How a number follows from settings that the words near it name; empty if it does not."""
    if number.percent or (number.spelled and not number.times):
        return ""
    named = tuple(one for one in settings if one.name and one.value > 0)
    whole = tuple(one for one in named if one.value > 1 and one.value == int(one.value))
    squared = tuple(one for one in whole if tied(one, near))
    shares = tuple(one for one in named if one.value < 1 and PART.search(one.name))
    around = text[max(0, number.start - 25) : number.end + 12].lower()
    found = _of_square(number, squared, shares)
    found = found or (_logarithm(number, whole) if _LOGARITHM.search(text) else "")
    found = found or (_rest(number, whole) if _REST.search(around) else "")
    found = found or _product(number, named, near)
    found = found or (_times_as_many(number, ledger) if _AS_MANY.match(text, number.end) else "")
    return found or (_models(number, ledger) if "model" in near else "")


def _times_as_many(number: Printed, ledger: Ledger) -> str:
    """For "ten times as many people": how a run changes a setting."""
    base = {one.name: one.value for one in reversed(ledger.base_settings)}
    for run in ledger.runs:
        for one in run.changed:
            before = base.get(one.name, 0.0)
            if before and number.value in {
                one.value / before,
                before / one.value if one.value else 0,
            }:
                return f"{one.name} of {run.label}"
    return ""


def _of_square(number: Printed, squared: _Settings, shares: _Settings) -> str:
    """961 pairs modulo 31, and the 769 of them that are 80 %."""
    if number.value <= 50:
        return ""
    for one in squared:
        if re.search(r"batch|eval|every", one.name.lower()):
            continue
        square = one.value**2
        if number.value == square:
            return f"the square of {one.name}"
        for share in shares:
            part = square * share.value
            rounded = {round(part), math.floor(part), math.ceil(part)}
            if number.value in rounded | {square - part for part in rounded}:
                return f"{share.name} of the square of {one.name}"
    return ""


def _logarithm(number: Printed, whole: _Settings) -> str:
    """The loss of a uniform guess: ln 31."""
    for one in whole:
        if "." in number.text and abs(math.log(one.value) - number.value) <= number.step / 2:
            return f"the logarithm of {one.name}"
    return ""


def _rest(number: Printed, whole: _Settings) -> str:
    """The remaining 80 of 100 days, when 20 were seen."""
    for one, other in product(whole, whole):
        if one.value - other.value == number.value and number.value > 9:
            return f"{one.name} less {other.name}"
    return ""


def _product(number: Printed, named: _Settings, near: frozenset[str]) -> str:
    """A rate times its factor; channels of a head."""
    rates = [s for s in named if "rate" in s.name.lower() or s.name.lower() == "dropout"]
    close = [s for s in named if tied(s, near, names=True)] if number.value > 4 else []
    for one, other in (*product(rates, rates), *product(close, close)):
        apart = (one.value / other.value,) if one in close else ()
        results = (one.value * other.value, *apart)
        same = any(math.isclose(result, number.value, rel_tol=1e-9) for result in results)
        if one.name != other.name and same:
            return f"{one.name} and {other.name}"
    return ""


def _models(number: Printed, ledger: Ledger) -> str:
    """How many models were trained: runs by data sets by seeds."""
    totals = [count for what, count in ledger.counts if what in {"runs", "data sets"}]
    seeds = {count for what, count in ledger.counts if what.startswith("seeds")}
    same = any(number.value == math.prod(totals) * count for count in seeds)
    return "runs times data sets times seeds" if same else ""
