"""A typed number and the fact that it states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from orchestrator.research.claims.facts import (
    Fact,
    differences,
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
    r"|effect|improve\w*|reduc\w+|increase\w*|decrease\w*|apart|paired|lower\w*|lifts?|raises?|take\w* off"
    r"|benefit|penalty|price|removes?)\b"
)


_RATIO = re.compile(r"\b(?:factor|times|ratio|fold|multiple|twice)\b|×")


_SPREAD = re.compile(
    r"\b(?:rang\w+|between|spread|from|seeds?|lowest|highest|minimum|maximum|single)\b"
)


def found_fact(
    number: Printed,
    scope: Scope,
    text: str,
    ledger: Ledger,
    *,
    after_error: bool,
    paired: bool,
    row: bool = False,
    strict: bool = False,
) -> Fact | None:
    """The fact within ``scope`` that ``number`` prints; ``after_error``: it stands after a ±, ``paired``:
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
            for fact in _facts(number, one, dataset, metric, text, ledger, after_error=after_error):
                if _prints(number, fact, ledger) and _agrees(fact, number, text, ledger):
                    return fact
    return None


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


def _facts(
    number: Printed,
    scope: Scope,
    dataset: str,
    metric: str,
    text: str,
    ledger: Ledger,
    *,
    after_error: bool,
) -> Iterator[Fact]:
    near = text[: number.start].lower()
    here = near + text[number.end : number.end + 30].lower()
    pairs = tuple(pairs_of(scope, ledger))
    if re.match(r"\s*(?:combined |standard )*errors?\b", text[number.end :]):
        for fact in differences(pairs, dataset, metric, ledger):
            found = ledger.difference(fact.run, fact.against or 0, dataset, metric)
            if found is not None and found.error:
                yield replace(fact, kind="errors", value=abs(found.value) / found.error)
    yield from _gaps(number, scope, dataset, metric, here, ledger)
    if number.times or _RATIO.search(here):
        yield from ratios(pairs, dataset, metric, ledger)
    if number.times:
        return
    if after_error:
        yield from error_facts(scope, pairs, dataset, metric, ledger)
        return
    changed = _BY.search(near) or number.signed or number.points or compared(number, text)
    if changed:
        yield from differences(pairs, dataset, metric, ledger)
        if number.percent:
            yield from percents(pairs, dataset, metric, ledger)
    for run in value_runs(number, scope, text):
        cell = ledger.cells.get((run, dataset, metric))
        if cell is not None:
            yield Fact(kind="value", value=cell.mean, run=run, dataset=dataset, metric=metric)
            if _SPREAD.search(text.lower()):
                for value in sorted(
                    {min(cell.values, default=cell.mean), max(cell.values, default=cell.mean)}
                ):
                    yield Fact(kind="spread", value=value, run=run, dataset=dataset, metric=metric)
    if ERRORS.search(text.lower()):
        yield from error_facts(scope, pairs, dataset, metric, ledger)


_GAP = re.compile(r"\bgap|\bdifference between|\bbelow\b|\babove\b|\bthan\b|\btimes\b|×")


def _gaps(
    number: Printed, scope: Scope, dataset: str, metric: str, here: str, ledger: Ledger
) -> Iterator[Fact]:
    """What lies between two metrics of one run: a difference, or a ratio."""
    if len(scope.all_metrics) < 2 or not _GAP.search(here):
        return
    for run, other in product(scope.runs, scope.all_metrics):
        one, two = (ledger.cells.get((run, dataset, name)) for name in (metric, other))
        if one is not None and two is not None and other != metric:
            yield Fact(
                kind="difference",
                value=one.mean - two.mean,
                run=run,
                dataset=dataset,
                metric=metric,
            )
            if two.mean and one.mean:
                yield Fact(
                    kind="ratio", value=one.mean / two.mean, run=run, dataset=dataset, metric=metric
                )
                yield Fact(
                    kind="ratio", value=two.mean / one.mean, run=run, dataset=dataset, metric=metric
                )


def _prints(number: Printed, fact: Fact, ledger: Ledger) -> bool:
    share = ledger.metric(fact.metric).share
    value, change = fact.value, fact.kind in {"difference", "percent", "ratio"}
    if number.percent or number.points:
        if fact.kind == "percent":
            return (
                number.percent
                and not number.points
                and is_printed(number, value, unsigned=not number.signed)
            )
        if not share or fact.kind == "ratio" or (fact.kind == "difference" and not number.points):
            return False
        value *= 100
    elif fact.kind == "percent":
        return False
    return is_printed(number, value, unsigned=change and not number.signed)


def run_seconds(number: Printed, scope: Scope, text: str, ledger: Ledger) -> str:
    """The run whose wall time a number of seconds is; empty if none's."""
    if not re.match(r"\s*(?:wall[- ]clock )?(?:seconds?|s)\b", text[number.end :]):
        return ""
    for run in scope.runs or ledger.numbers:
        if is_printed(number, ledger.run(run).seconds):
            return f"{ledger.run(run).label}: seconds"
    return ""
