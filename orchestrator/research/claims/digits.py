"""The digits of a quantity as a paper prints them: rounded by its error, with its unit."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from orchestrator.research.claims.ledger import (
    AVERAGE,
    Cell,
    CodeSetting,
    Ledger,
    RunDifference,
)
from orchestrator.research.claims.quantity import (
    OF_TWO_METRICS,
    ONE_RUN,
    Quantity,
    UnknownQuantity,
    cell_of,
    no_such,
)
from orchestrator.research.paper.cells import printed_value
from orchestrator.research.paper.latex import escape
from orchestrator.research.paper.numbers import format_mean

_PLAIN_UNIT = re.compile(r"[A-Za-z][A-Za-z/ -]{0,19}")


_NO_UNIT = re.compile(r"fraction|share|accuracy|probability|none|^$", re.IGNORECASE)


def printed(one: Quantity, ledger: Ledger) -> str:
    """The digits of a quantity as LaTeX. Raises :class:`UnknownQuantity`."""
    if one.kind in OF_TWO_METRICS:
        return _of_two_metrics(one, ledger)
    if one.kind in ONE_RUN:
        return _of_one(one, cell_of(one.run, one.data, one.metric, ledger), ledger)
    if one.pair:
        return _of_two(one, ledger)
    if one.kind == "seconds":
        if not ledger.run(one.run).seconds:
            raise UnknownQuantity("how long this run took is not known")
        return f"${ledger.run(one.run).seconds:.0f}$ s"
    if one.kind == "seeds":
        counts = [count for what, count in ledger.counts if what == f"seeds of {one.data}"]
        every = {count for what, count in ledger.counts if what.startswith("seeds of ")}
        if one.data == AVERAGE and len(every) == 1:
            counts = [*every]
        if not counts:
            no_such("count of seeds of", one.data, [])
        return str(counts[0])
    return _setting(one, ledger)


def _of_one(one: Quantity, cell: Cell, ledger: Ledger) -> str:
    if one.kind in {"low", "high", "median"}:
        if not cell.values:
            raise UnknownQuantity(f"{one.metric} has no values per seed")
        return f"${format_mean(OVER_SEEDS[one.kind](cell.values))}${unit_of(one, ledger)}"
    if one.kind == "pct":
        if not ledger.metric(one.metric).share and not set(cell.values) <= {0.0, 1.0}:
            raise UnknownQuantity(f"{one.metric} is no share: use \\val")
        places = 1 if cell.mean < 0.9995 else 0
        return rf"{100 * cell.mean:.{places}f}\%"
    unit = unit_of(one, ledger)
    if one.kind == "mean" and cell.error and 1e-4 <= abs(cell.mean) < 1e6:
        return f"${format_mean(cell.mean, cell.error)}${unit}"
    error = None if one.kind == "mean" or len(cell.values) == 1 else cell.error
    return f"{printed_value(cell.mean, error)}{unit}"


OVER_SEEDS: dict[str, Callable[[Sequence[float]], float]] = {
    "low": min,
    "high": max,
    "median": statistics.median,
}
"""What is taken of the values per seed."""
_FEWEST = 5  # seeds of a correlation


def correlation(one: Quantity, ledger: Ledger) -> float:
    """Pearson's, of two metrics of a run over its seeds. Raises :class:`UnknownQuantity`."""
    rows = [
        cell_of(one.run, one.data, name, ledger).values for name in (one.metric, one.with_metric)
    ]
    if len(rows[0]) != len(rows[1]) or len(rows[0]) < _FEWEST:
        raise UnknownQuantity(
            f"{one.metric} and {one.with_metric} have no values for the same {_FEWEST} seeds or more"
        )
    if any(len(set(row)) == 1 for row in rows):
        raise UnknownQuantity("one of the two has the same value for every seed")
    return statistics.correlation(*rows)


def gap(one: Quantity, ledger: Ledger) -> RunDifference:
    """One metric of a run less another of the same unit, or less that of another run, seed by seed. Raises
    :class:`UnknownQuantity`.
    """
    names = one.metric, one.with_metric
    places = (
        (one.run, one.data, one.metric),
        (one.run if one.against is None else one.against, one.data, one.with_metric),
    )
    for run, data, name in places:
        cell_of(run, data, name, ledger)
    units = [ledger.metric(name).unit for name in names]
    if units[0] != units[1]:
        raise UnknownQuantity(f"{names[0]} and {names[1]} are not of one unit")
    found = ledger.gap(*places)
    if found is None:
        raise UnknownQuantity(f"{names[0]} and {names[1]} have no values for the same seeds")
    return found


def unit_of(one: Quantity, ledger: Ledger) -> str:
    """The unit that is printed after a mean or a difference: a tilde and the word, or nothing."""
    unit = ledger.metric(one.metric).unit if one.metric else ""
    if one.kind not in {"val", "mean", "median", "diff", "by", "gap"} or _NO_UNIT.search(unit):
        return ""
    return f"~{escape(unit)}" if _PLAIN_UNIT.fullmatch(unit) else ""


def _of_two_metrics(one: Quantity, ledger: Ledger) -> str:
    if one.kind == "correlation":
        return f"${correlation(one, ledger):.2f}$"
    return _signed(gap(one, ledger), unit_of(one, ledger))


def _of_two(one: Quantity, ledger: Ledger) -> str:
    other = one.against or 0
    found = ledger.difference(one.run, other, one.data, one.metric)
    if found is None:
        raise UnknownQuantity(f"{one.metric} was not measured by both runs")
    if one.kind in {"higher", "lower"}:
        count = found.higher if one.kind == "higher" else found.lower
        if count is None:
            raise UnknownQuantity(f"{one.metric} has no values for the same seeds in both runs")
        return f"{count} of {len(ledger.cells[one.run, one.data, one.metric].values)}"
    if one.kind in {"change", "ratio"}:
        before = ledger.cells[other, one.data, one.metric].mean
        if before == 0:
            raise UnknownQuantity("what it is compared with is 0: use \\diff")
        ratio = ledger.cells[one.run, one.data, one.metric].mean / before
        if one.kind == "ratio":
            return f"${_significant(ratio, 3)}$"
        return rf"{_significant(abs(ratio - 1) * 100, 2)}\%"
    if one.kind == "points":
        if not ledger.metric(one.metric).share:
            raise UnknownQuantity(f"{one.metric} is no share: use \\by")
        return f"{abs(100 * found.value):.1f}"
    return _difference(one, found, ledger)


def _difference(one: Quantity, found: RunDifference, ledger: Ledger) -> str:
    alone = len(ledger.cells[one.run, one.data, one.metric].values) == 1
    shown = replace(found, error=None) if alone else found
    if one.kind == "diff":
        return _signed(shown, unit_of(one, ledger))
    return f"{printed_value(abs(shown.value), shown.error)}{unit_of(one, ledger)}"


def _signed(found: RunDifference, unit: str) -> str:
    digits = printed_value(found.value, found.error)
    zero = not re.search(r"[1-9]", digits.partition("\\pm")[0])
    sign = "+" if found.value > 0 and not zero else ""
    return f"${sign}{digits.removeprefix('$')}{unit}"


def _significant(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "inf"
    size = math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(digits - 1 - size, 0), 9)}f}"


def _setting(one: Quantity, ledger: Ledger) -> str:
    if one.kind == "settingof":
        changed = _called(one.name, ledger.run(one.run).changed)
        if changed:
            return f"{changed[0].value:g}"
    values = _called(one.name, ledger.base_settings)
    if not values:
        known = [s.name for s in ledger.base_settings if len(s.name) > 2]
        no_such("setting", one.name, list(dict.fromkeys(known)))
    return f"{values[0].value:g}"


def _called(name: str, settings: Sequence[CodeSetting]) -> list[CodeSetting]:
    """The settings of this name; of one that no setting has to the letter, those with other capitals. A constant and
    a field may differ in capitals alone, and in their values.
    """
    exact = [one for one in settings if one.name == name]
    return exact or [one for one in settings if one.name.lower() == name.lower()]
