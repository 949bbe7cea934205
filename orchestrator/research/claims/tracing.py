"""A typed number and the fact that it states."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from orchestrator.research.claims import words
from orchestrator.research.claims.agreeing import changes_by
from orchestrator.research.claims.deviations import (
    deviation_facts,
    has_deviation,
)
from orchestrator.research.claims.extreme_values import extreme_facts
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
from orchestrator.research.claims.printed_errors import only_deviations, says_deviation
from orchestrator.research.claims.printing import is_told, prints_fact
from orchestrator.research.claims.readings import (
    ERRORS,
    compared,
    datasets_of,
    readings,
    value_runs,
    with_unit,
)
from orchestrator.research.claims.scope import Scope

_BY = re.compile(
    r"\b(?:by|differences?|gap|changes?|advantage|gains?|loses?|lost|drops?|rises?|falls?|shifts?|costs?|adds?"
    r"|effect|improve\w*|reduc\w+|increase\w*|decrease\w*|apart|paired|lower\w*|lifts?|raises?|tak(?:es?|ing)"
    r"|benefit|penalty|price|removes?)\b|Δ"
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
    headed: bool = False,
    strict: bool = False,
) -> Iterator[Fact]:
    """The facts within ``scope`` that ``number`` prints, the likeliest first; ``after_error``: it stands after a ±, ``paired``:
    before one, ``row``: in a row of a table, whose columns may be of any metric and data set.
    """
    if row and scope.runs:
        scope = replace(
            scope,
            data=scope.data if scope.data and (headed or len(scope.data) > 1) else ledger.datasets,
            metrics=scope.metrics or tuple(m.name for m in ledger.metrics),
        )
    number = replace(number, far=bool(scope.runs and scope.metrics))
    scope = replace(scope, metrics=with_unit(number, scope, text, ledger))
    by_unit = replace(number, far=bool(scope.runs and scope.metrics))
    wider = not strict or paired or after_error
    for one in readings(number, scope, text, ledger, paired=paired or after_error, wider=wider):
        metrics = one.metrics or ledger.headline or tuple(m.name for m in ledger.metrics)
        for dataset, metric in product(datasets_of(one, metrics, ledger), metrics):
            at = _Place(one, dataset, metric, tuple(pairs_of(one, ledger)))
            for fact in _facts(number, at, text, ledger, after_error=after_error):
                said = by_unit if fact.kind == "value" else number
                if is_told(said, fact, text, scope, ledger):
                    yield fact


def seed_facts(number: Printed, seed: int, scope: Scope, ledger: Ledger) -> Iterator[Fact]:
    """The values of one seed that ``number`` prints."""
    every = tuple(one.name for one in ledger.metrics)
    for run, data, metric in product(
        scope.runs, scope.data or ledger.datasets, scope.metrics or every
    ):
        cell = ledger.cells.get((run, data, metric))
        if cell is not None and seed < len(cell.values):
            fact = Fact(
                kind="spread", value=cell.values[seed], run=run, dataset=data, metric=metric
            )
            if prints_fact(number, fact, ledger):
                yield fact


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
    if not number.times:
        yield from _errors(at, text, ledger, after_error=after_error)
    if number.times or after_error:
        return
    if _says_change(near, at.metric) or number.signed or number.points or compared(number, text):
        yield from difference_facts(*where)
        if number.percent:
            yield from percents(*where)
    yield from extreme_facts(number, at.scope, text, at.dataset, at.metric, ledger)
    if not changes_by(number, text):
        yield from _values(number, at, text, ledger)


def _errors(at: _Place, text: str, ledger: Ledger, *, after_error: bool) -> Iterator[Fact]:
    """Standard errors; deviations where the text, or for a number after a ± the paper, speaks of them."""
    place = (at.dataset, at.metric, ledger)
    if says_deviation(text) or (after_error and at.scope.errors):
        yield from deviation_facts(at.scope, *place)
    only = only_deviations(text) or (after_error and at.scope.errors == "only")
    if only and has_deviation(at.scope, *place):
        return
    own = "error" in words.words_of(at.metric)  # "the forecast error" is no standard error
    if after_error or (_STANDARD if own else ERRORS).search(text.lower()):
        yield from error_facts(at.scope, at.pairs, *place)


_STANDARD = re.compile(
    r"standard errors?|\+-|uncertaint|\bs\.e\.|\b(?:combined|their|two) errors\b"
)


def _says_change(near: str, metric: str) -> bool:
    """Whether words before a number speak of a change, and not only the metric's own name: "context gain"."""
    own = words.words_of(metric)
    return any(words.plain_form(match[0]) not in own for match in _BY.finditer(near))


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
            cells = [
                ledger.cells.get((n, fact.dataset, fact.metric))
                for n in (fact.run, fact.against or 0)
            ]
            errors = [cell.error for cell in cells if cell is not None and cell.error]
            if (
                found is not None and len(errors) == 2
            ):  # of two runs that are not taken seed by seed
                yield replace(fact, kind="errors", value=abs(found.value) / math.hypot(*errors))


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


def run_seconds(number: Printed, scope: Scope, text: str, ledger: Ledger) -> str:
    """The run whose wall time a number of seconds is; empty if none's."""
    if not re.match(r"\s*(?:wall[- ]clock )?(?:seconds?|s)\b", text[number.end :]):
        return ""
    for run in scope.runs or ledger.numbers:
        if is_printed(number, ledger.run(run).seconds):
            return f"{ledger.run(run).label}: seconds"
    return ""
