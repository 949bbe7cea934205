"""Numbers in a paper: how they are printed, and what each one that stands there resolves to.

A printed number resolves to a *quantity* if rounding the quantity to the printed precision
gives it. Quantities are the results (means, standard errors), what follows from them by one
step (difference, ratio and percent change against the baseline, difference between two runs,
mean over data sets), and fixed numbers (settings, constants, years of references). To keep a
wrong number from finding a partner by chance, a sentence that names a run, a data set or a
metric is held to that run, data set or metric; a printed result needs two significant digits
unless it is exact; and fixed numbers must match exactly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>(?<![\w)\]%])[-+])?(?P<digits>\d+(?:\.\d+)?|\.\d+)"
    r"(?P<power>[eE][-+]?\d+)?(?P<unit>\s?%|\s?percent(?:age points)?|[kKM](?!\w))?(?!\.?\d)"
)
_RUNS = re.compile(r"\b[Rr]uns?\s+((?:\d+)(?:\s*(?:,|and|to|or|&|-)+\s*\d+)*)(?![.\d%])")
_BASELINE = re.compile(r"\bbaseline\b", re.IGNORECASE)
_COMPARES = re.compile(
    r"\b(?:runs?|all|each|every|others?|than|against|versus|vs|compared|over|from|beats?|below|above)\b",
    re.IGNORECASE,
)
_MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as printed: its text, value, step of the last digit, and significant digits."""

    text: str
    value: float
    step: float
    significant: int
    percent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number that a paper may print, where it comes from, and what it belongs to.

    ``share``: it may be printed as a percentage of one (an accuracy of 0.97 as 97 %). ``name``:
    what a setting is called, such as ``weight_decay``.
    """

    value: float
    source: str
    kind: Literal["result", "derived", "percent", "fixed"] = "result"
    runs: frozenset[int] = frozenset()
    dataset: str = ""
    metric: str = ""
    share: bool = False
    name: str = ""


def format_mean(mean: float, error: float | None = None) -> str:
    """A mean at the precision that its standard error warrants: two digits of the error.

    With no error, or an error of 0: four significant digits, whole numbers whole.
    """
    if error is None or error == 0 or not math.isfinite(error):
        if float(mean).is_integer() and abs(mean) < 1e15:
            return str(int(mean))
        size = math.floor(math.log10(abs(mean))) if mean else 0
        return f"{mean:.{min(max(3 - size, 0), 12)}f}"
    return f"{mean:.{_places(error)}f}"


def format_error(error: float) -> str:
    """A standard error with two significant digits."""
    return "0" if error == 0 else f"{error:.{_places(error)}f}"


def _places(error: float) -> int:
    return min(max(1 - math.floor(math.log10(error)), 0), 12)


def numbers(text: str) -> Iterator[PrintedNumber]:
    """Every number printed in plain ``text``; digits inside words (S5, run_1) are no numbers."""
    for match in _NUMBER.finditer(_RUNS.sub(" ", text)):
        yield _number(match)


def _number(match: re.Match[str]) -> PrintedNumber:
    digits, unit = match["digits"][:_MOST_DIGITS], (match["unit"] or "").strip()
    scale = {"k": 1e3, "K": 1e3, "M": 1e6}.get(unit, 1.0)
    exact = Decimal(f"{digits}{match['power'] or ''}"[: _MOST_DIGITS + 6])
    sign = -1.0 if match["sign"] == "-" else 1.0
    exponent = exact.as_tuple().exponent
    step = 10.0**exponent if isinstance(exponent, int) and abs(exponent) < 300 else 0.0
    return PrintedNumber(
        text=match[0].strip(),
        value=sign * float(exact) * scale,
        step=step * scale,
        significant=len(digits.replace(".", "").lstrip("0")),
        percent=unit == "%" or unit.startswith("percent"),
    )


def runs_named(text: str) -> frozenset[int]:
    """The runs that a sentence names ("run 2", "runs 1 to 3"); 0 where it is the baseline's alone."""
    found: set[int] = set()
    for match in _RUNS.finditer(text):
        found |= {int(number) for number in re.findall(r"\d{1,4}", match[1])}
        for first, last in re.findall(r"(\d{1,4})\s*(?:to|-)\s*(\d{1,4})", match[1]):
            found |= set(range(int(first), min(int(last), int(first) + 100)))
    if not found and _BASELINE.search(text) and not _COMPARES.search(text):
        found.add(0)
    return frozenset(found)


def quantities_in_scope(
    quantities: Iterable[Quantity],
    runs: frozenset[int] = frozenset(),
    datasets: Sequence[str] = (),
    metrics: Sequence[str] = (),
    text: str = "",
) -> tuple[Quantity, ...]:
    """Those quantities that belong to what a sentence names; the baseline always may be meant.

    A sentence that names two of run, data set and metric speaks of results: there a setting
    counts only if ``text`` says its name, else a wrong result could pass for some setting.
    """
    of_results = bool(runs) + bool(datasets) + bool(metrics) > 1
    said = text.lower().replace("_", " ").replace("-", " ")
    return tuple(
        quantity
        for quantity in quantities
        if (
            (not of_results or _is_said(quantity.name, said))
            if quantity.kind == "fixed"
            else (not runs or quantity.runs <= runs | {0})
            and (not datasets or not quantity.dataset or quantity.dataset in datasets)
            and (not metrics or quantity.metric in metrics)
        )
    )


def _is_said(name: str, said: str) -> bool:
    return bool(name) and name.lower().replace("_", " ") in said


def resolve_number(number: PrintedNumber, quantities: Iterable[Quantity]) -> Quantity | None:
    """The first quantity that ``number`` is a printed form of; results come before the rest."""
    order = ["result", "fixed", "derived", "percent"]
    if number.value == 0:  # more often a setting than one of the results that are exactly 0
        order = ["fixed", "result", "derived", "percent"]
    fitting = [quantity for quantity in quantities if _prints(number, quantity)]
    return min(fitting, key=lambda quantity: order.index(quantity.kind), default=None)


def _prints(number: PrintedNumber, quantity: Quantity) -> bool:
    """Whether rounding ``quantity`` to the printed precision gives ``number``.

    A difference or change may be printed without its sign ("lower by 0.2").
    """
    if quantity.kind == "percent" and not number.percent:
        return False
    if number.percent and quantity.kind in {"result", "derived"} and not quantity.share:
        return False
    if quantity.kind == "fixed" and number.percent and _same(quantity.value * 100, number.value):
        return True
    value = quantity.value * (100 if number.percent and quantity.share else 1)
    apart = abs(value - number.value)
    if quantity.kind in {"derived", "percent"}:
        apart = min(apart, abs(abs(value) - abs(number.value)))
    if _same(value, number.value) or apart == 0:
        return True
    if quantity.kind == "fixed" or number.significant < 2:
        return False
    return apart <= number.step * (0.5 + 1e-6)


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def nearest_results(
    number: PrintedNumber, quantities: Iterable[Quantity], count: int = 3
) -> list[str]:
    """The closest results, as words for whoever has to mend the number."""
    results = [quantity for quantity in quantities if quantity.kind == "result"]
    results.sort(key=lambda quantity: abs(quantity.value - number.value))
    return [f"{quantity.value:.6g} ({quantity.source})" for quantity in results[:count]]
