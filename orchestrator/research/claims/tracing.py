"""A typed number and the fact that it states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from orchestrator.research.claims.durations import in_unit
from orchestrator.research.claims.facts import (
    Fact,
    difference_facts,
    error_facts,
    pairs_of,
    percents,
    ratios,
)
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.readings import (
    ERRORS,
    clause_around,
    compared,
    datasets_of,
    readings,
    side_of,
    value_runs,
    with_unit,
)
from orchestrator.research.claims.scope import Scope

_BY = re.compile(
    r"\b(?:by|differences?|gap|changes?|advantage|gains?|loses?|lost|drops?|rises?|falls?|shifts?|costs?|adds?"
    r"|effect|improve\w*|reduc\w+|increase\w*|decrease\w*|apart|paired|lower\w*|lifts?|raises?|tak(?:es?|ing)"
    r"|benefit|penalty|price|removes?)\b"
)


_RATIO = re.compile(r"\b(?:factor|times|ratio|fold|multiple|twice)\b|×")


_UNTRAINED = re.compile(r"\b(?:that|those) of (?:the|an) (?:untrained|initial)\b")
"""A factor of what training changed is one between two metrics, not between two runs."""


_SPREAD = re.compile(
    r"\b(?:rang\w+|between|spread|from|seeds?|lowest|highest|minimum|maximum|single)\b"
)


def found_facts(
    number: Printed,
    scope: Scope,
    text: str,
    ledger: Ledger,
    *,
    after_error: bool,
    paired: bool,
    row: bool = False,
    strict: bool = False,
) -> Iterator[Fact]:
    """The facts within ``scope`` that ``number`` prints, the likeliest first; ``after_error``: it stands after a ±, ``paired``:
    before one, ``row``: in a row of a table, whose columns may be of any metric and data set.
    """
    if row and scope.runs:
        scope = replace(
            scope,
            data=scope.data if len(scope.data) > 1 else ledger.datasets,
            metrics=scope.metrics or tuple(m.name for m in ledger.metrics),
        )
    scope = replace(scope, metrics=with_unit(number, scope, text, ledger))
    wider = not strict or paired or after_error
    for one in readings(number, scope, text, ledger, paired=paired or after_error, wider=wider):
        metrics = one.metrics or ledger.headline or tuple(m.name for m in ledger.metrics)
        for dataset, metric in product(datasets_of(one, metrics, ledger), metrics):
            at = _Place(one, dataset, metric, tuple(pairs_of(one, ledger)))
            for fact in _facts(number, at, text, ledger, after_error=after_error):
                if _in_words(number, fact, text, ledger) and _agrees(fact, number, text, ledger):
                    yield fact


def _agrees(fact: Fact, number: Printed, text: str, ledger: Ledger) -> bool:
    """Whether the words around a change say its direction: "lower by 0.25" of one that is lower."""
    if fact.against is None or fact.kind not in {"difference", "percent"} or number.signed:
        return True
    sides = side_of(clause_around(number.start, number.end, text).lower())
    if len(sides) != 1 or fact.value == 0:
        return True
    (side,) = sides
    if side in {"up", "down"}:
        return (fact.value > 0) == (side == "up")
    better = ledger.better(fact.metric, fact.value)
    return better is None or better == (side == "better")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number may belong: one metric on one data set, within a scope."""

    scope: Scope
    dataset: str
    metric: str
    pairs: tuple[tuple[int, int], ...]


def _facts(
    number: Printed, at: _Place, text: str, ledger: Ledger, *, after_error: bool
) -> Iterator[Fact]:
    """The facts of one place that the words around a number allow."""
    near = text[: number.start].lower()
    here = near + text[number.end : number.end + 30].lower()
    where = (at.pairs, at.dataset, at.metric, ledger)
    yield from _in_errors(number, at, text, ledger)
    yield from _gaps(at, here, ledger)
    if (number.times or _RATIO.search(here)) and not _UNTRAINED.search(text.lower()):
        yield from ratios(*where)
    if not number.times and (after_error or ERRORS.search(text.lower())):
        yield from error_facts(at.scope, *where)
    if number.times or after_error:
        return
    if _BY.search(near) or number.signed or number.points or compared(number, text):
        yield from difference_facts(*where)
        if number.percent:
            yield from percents(*where)
    yield from _values(number, at, text, ledger)


def _values(number: Printed, at: _Place, text: str, ledger: Ledger) -> Iterator[Fact]:
    """The means of the runs; where the words are of a range, the smallest and largest value too."""
    spread = bool(_SPREAD.search(text.lower()))
    for run in value_runs(number, at.scope, text):
        cell = ledger.cells.get((run, at.dataset, at.metric))
        if cell is not None:
            fact = Fact(
                kind="value", value=cell.mean, run=run, dataset=at.dataset, metric=at.metric
            )
            yield fact
            for value in (min(cell.values), max(cell.values)) if spread and cell.values else ():
                yield replace(fact, kind="spread", value=value)


def _in_errors(number: Printed, at: _Place, text: str, ledger: Ledger) -> Iterator[Fact]:
    """For "by 6.0 combined standard errors"."""
    if re.match(r"\s*(?:combined |standard )*errors?\b", text[number.end :]):
        for fact in difference_facts(at.pairs, at.dataset, at.metric, ledger):
            found = ledger.difference(fact.run, fact.against or 0, at.dataset, at.metric)
            if found is not None and found.error:
                yield replace(fact, kind="errors", value=abs(found.value) / found.error)


_GAP = re.compile(r"\bgap|\bdifference between|\bbelow\b|\babove\b|\bthan\b|\btimes\b|×")


def _gaps(at: _Place, here: str, ledger: Ledger) -> Iterator[Fact]:
    """What lies between two metrics of one run: a difference, or a ratio."""
    if len(at.scope.all_metrics) < 2 or not _GAP.search(here):
        return
    for run, other in product(at.scope.runs, at.scope.all_metrics):
        one, two = (ledger.cells.get((run, at.dataset, name)) for name in (at.metric, other))
        if one is not None and two is not None and other != at.metric:
            apart = one.mean - two.mean
            fact = Fact(
                kind="difference", value=apart, run=run, dataset=at.dataset, metric=at.metric
            )
            yield fact
            if two.mean and one.mean:
                yield replace(fact, kind="ratio", value=one.mean / two.mean)
                yield replace(fact, kind="ratio", value=two.mean / one.mean)


def _in_words(number: Printed, fact: Fact, text: str, ledger: Ledger) -> bool:
    """Whether a number with the unit behind it is a form of a fact."""
    if fact.kind in {"ratio", "percent", "errors"}:
        return _prints(number, fact, ledger)
    value = in_unit(number, fact.value, text, ledger.metric(fact.metric))
    return value is not None and _prints(number, replace(fact, value=value), ledger)


def _prints(number: Printed, fact: Fact, ledger: Ledger) -> bool:
    """Whether a number is a form of a fact: a percentage is one of a share, or a percent change."""
    value, change = fact.value, fact.kind in {"difference", "percent", "ratio"}
    if fact.kind == "percent":
        percent = number.percent and not number.points
        return percent and is_printed(number, value, unsigned=not number.signed)
    if number.percent or number.points:
        apart = fact.kind == "difference" and not number.points
        if number.percent and not change and _of_hundred(fact.metric, ledger):
            return is_printed(number, value)
        if not ledger.metric(fact.metric).share or fact.kind == "ratio" or apart:
            return False
        value *= 100
    return is_printed(number, value, unsigned=change and not number.signed)


_NO_PERCENT = re.compile(r"loss|time|sec|step|speed|bits|nats|error")


def _of_hundred(metric: str, ledger: Ledger) -> bool:
    """Whether a metric was recorded in percent: 88.0, not 0.88."""
    means = [cell.mean for (_, _, name), cell in ledger.cells.items() if name == metric]
    known = ledger.metric(metric)
    named = not _NO_PERCENT.search(metric.lower()) and known.unit.lower() in {"", "%", "percent"}
    return named and not known.share and all(0 <= mean <= 100 for mean in means) and max(means) > 1


def run_seconds(number: Printed, scope: Scope, text: str, ledger: Ledger) -> str:
    """The run whose wall time a number of seconds is; empty if none's."""
    if not re.match(r"\s*(?:wall[- ]clock )?(?:seconds?|s)\b", text[number.end :]):
        return ""
    for run in scope.runs or ledger.numbers:
        if is_printed(number, ledger.run(run).seconds):
            return f"{ledger.run(run).label}: seconds"
    return ""
