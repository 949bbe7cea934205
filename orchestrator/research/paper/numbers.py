"""Numbers in a paper: their printed form, and the quantity that each of them resolves to.

A printed number resolves to a *quantity* if the quantity, rounded to the printed precision, equals
it. Quantities are the results (means, standard errors), values derived from them in one step
(difference, ratio and percent change from the baseline, difference between two runs, mean over data
sets), and fixed numbers (settings, constants, years of references). Three rules prevent chance
matches of wrong numbers: in a sentence that names a run, a data set or a metric, only its
quantities count; a printed result needs two significant digits unless it is exact; and fixed
numbers must match exactly.
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
# "run 2", "runs 1, 2 and 3", "runs 1-3"; not "runs 2.5 times" or "runs 3%".
_RUNS = re.compile(r"\b[Rr]uns?\s+((?:\d+)(?:\s*(?:,|and|to|or|&|-)+\s*\d+)*)(?!\.?\d|%)")
_BASELINE = re.compile(r"\bbaseline\b", re.IGNORECASE)
# Words of a comparison: with one of them, "the baseline" is not the only subject of a sentence.
_COMPARES = re.compile(
    r"\b(?:runs?|all|each|every|others?|than|against|versus|vs|compared|over|from|beats?|below|above)\b",
    re.IGNORECASE,
)
_MAX_DIGITS = 30  # enough for any result; a page of digits stays quick to read


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as printed. ``step`` is the value of one unit in its last digit."""

    text: str
    value: float
    step: float
    significant: int
    percent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number that a paper may print, its source, and its run, data set and metric. ``share``: it
    may be printed as a percentage (an accuracy of 0.97 as 97 %). ``name`` is the name of a setting,
    such as ``weight_decay``.
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
    """A mean with the decimals of two significant digits of its standard error. Without an error,
    or with an error of 0: four significant digits; integers as integers.
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
    """Every number printed in plain ``text``; digits inside words (S5, run_1) do not count."""
    # The number of a run is a name; it is checked by runs_named, not as a quantity.
    for match in _NUMBER.finditer(_RUNS.sub(" ", text)):
        digits, unit = match["digits"][:_MAX_DIGITS], (match["unit"] or "").strip()
        scale = {"k": 1e3, "K": 1e3, "M": 1e6}.get(unit, 1.0)
        exact = Decimal(f"{digits}{match['power'] or ''}"[: _MAX_DIGITS + 6])
        sign = -1.0 if match["sign"] == "-" else 1.0
        # From the decimal text, not the float: 0.10 has the step 0.01, which the float has lost.
        exponent = exact.as_tuple().exponent
        step = 10.0**exponent if isinstance(exponent, int) and abs(exponent) < 300 else 0.0
        yield PrintedNumber(
            text=match[0].strip(),
            value=sign * float(exact) * scale,
            step=step * scale,
            significant=len(digits.replace(".", "").lstrip("0")),
            percent=unit == "%" or unit.startswith("percent"),
        )


def runs_named(text: str) -> frozenset[int]:
    """The runs that a sentence names ("run 2", "runs 1 to 3"); 0 if only the baseline is its subject."""
    runs: set[int] = set()
    for match in _RUNS.finditer(text):
        runs |= {int(number) for number in re.findall(r"\d{1,4}", match[1])}
        for first, last in re.findall(r"(\d{1,4})\s*(?:to|-)\s*(\d{1,4})", match[1]):
            # A hostile "runs 1 to 9999" must not create thousands of runs.
            runs |= set(range(int(first), min(int(last), int(first) + 100)))
    if not runs and _BASELINE.search(text) and not _COMPARES.search(text):
        runs.add(0)
    return frozenset(runs)


def quantities_in_scope(
    quantities: Iterable[Quantity],
    runs: frozenset[int] = frozenset(),
    datasets: Sequence[str] = (),
    metrics: Sequence[str] = (),
    text: str = "",
) -> tuple[Quantity, ...]:
    """The quantities of the named runs, data sets and metrics; the baseline's too, where ``text`` speaks
    of it or compares. A
    sentence that names two of run, data set and metric is about results: there a setting counts
    only if ``text`` contains its name, else a wrong result could match some setting.
    """
    # The baseline's own value belongs to a sentence that speaks of it, not to any run's.
    base = {0} if _BASELINE.search(text) or _COMPARES.search(_RUNS.sub(" ", text)) else set[int]()
    of_results = bool(runs) + bool(datasets) + bool(metrics) > 1
    words = text.lower().replace("_", " ").replace("-", " ")
    return tuple(
        quantity
        for quantity in quantities
        if (
            (not of_results or _is_named(quantity.name, words))
            if quantity.kind == "fixed"
            else (not runs or quantity.runs <= runs | (base if quantity.kind == "result" else {0}))
            and (not datasets or not quantity.dataset or quantity.dataset in datasets)
            and (not metrics or quantity.metric in metrics)
        )
    )


def _is_named(name: str, words: str) -> bool:
    """Whether a text contains a setting's name: as it is, or all of its words, if it has several."""
    spoken = name.lower().replace("_", " ")
    parts = spoken.split()
    several = len(parts) > 1 and set(parts) <= set(re.findall(r"\w+", words))
    return bool(spoken) and (spoken in words or several)


def resolve_pair(
    mean: PrintedNumber, error: PrintedNumber, quantities: Iterable[Quantity]
) -> tuple[Quantity, Quantity] | None:
    """The mean and the standard error of one metric, run and data set that a "mean ± error" prints;
    together they match by chance too rarely to need the metric's name.
    """
    by_place: dict[tuple[frozenset[int], str, str], list[Quantity]] = {}
    for one in quantities:
        if one.kind == "result" and one.metric:
            by_place.setdefault((one.runs, one.dataset, one.metric), []).append(one)
    for found in by_place.values():
        errors = [one for one in found if "standard error" in one.source and _prints(error, one)]
        means = [one for one in found if "standard error" not in one.source and _prints(mean, one)]
        if means and errors:
            return means[0], errors[0]
    return None


def resolve_number(number: PrintedNumber, quantities: Iterable[Quantity]) -> Quantity | None:
    """The best quantity that ``number`` is a printed form of, or None; results come first."""
    order = ["result", "fixed", "derived", "percent"]
    # A printed 0 is more often a setting than a result that is exactly 0.
    if number.value == 0:
        order = ["fixed", "result", "derived", "percent"]
    matching = [quantity for quantity in quantities if _prints(number, quantity)]
    return min(matching, key=lambda quantity: order.index(quantity.kind), default=None)


def _prints(number: PrintedNumber, quantity: Quantity) -> bool:
    """Whether rounding ``quantity`` to the printed precision gives ``number``."""
    # "improves by 3" is not the change of 3 %: only a number with a percent sign is a percentage.
    if quantity.kind == "percent" and not number.percent:
        return False
    if number.percent and quantity.kind in {"result", "derived"} and not quantity.share:
        return False
    if quantity.kind == "fixed" and number.percent and _same(quantity.value * 100, number.value):
        return True
    value = quantity.value * (100 if number.percent and quantity.share else 1)
    apart = abs(value - number.value)
    # Prose prints a difference or change without its sign: "lower by 0.2".
    if quantity.kind in {"derived", "percent"}:
        apart = min(apart, abs(abs(value) - abs(number.value)))
    if _same(value, number.value) or apart == 0:
        return True
    # One significant digit matches too many results by chance, and a setting is never rounded.
    if quantity.kind == "fixed" or number.significant < 2:
        return False
    # The tolerance accepts a half that was rounded up or down.
    return apart <= number.step * (0.5 + 1e-6)


def _same(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)


def nearest_results(number: PrintedNumber, quantities: Iterable[Quantity]) -> list[str]:
    """The three closest results as texts, for the correction of ``number``."""
    results = [quantity for quantity in quantities if quantity.kind == "result"]
    results.sort(key=lambda quantity: abs(quantity.value - number.value))
    return [f"{quantity.value:.6g} ({quantity.source})" for quantity in results[:3]]
