"""The ways to read a number within its sentence: its scope, and wider ones that are as sure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from orchestrator.research.claims import words
from orchestrator.research.claims.durations import unit_after
from orchestrator.research.claims.ledger import (
    AVERAGE,
    Ledger,
    Side,
)
from orchestrator.research.claims.mentions import NAME
from orchestrator.research.claims.metric_kinds import kind_of_metric
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.scope import Scope

ERRORS = re.compile(r"standard errors?|\+-|uncertaint|\bs\.e\.|\berrors?\b")


def _universal(number: Printed, scope: Scope, ledger: Ledger) -> Iterator[Scope]:
    """The scope on the first data set, if every run has the number as its mean on every one."""
    for metric in scope.metrics:
        share = ledger.metric(metric).share and number.percent
        cells = [
            cell.mean * (100 if share else 1)
            for (run, _, name), cell in ledger.cells.items()
            if run in scope.runs and name == metric
        ]
        if cells and all(is_printed(number, mean) for mean in cells):
            yield replace(scope, metrics=(metric,), data=ledger.datasets[:1])


def with_unit(number: Printed, scope: Scope, text: str, ledger: Ledger) -> tuple[str, ...]:
    """The metrics of a scope; where the word after the number is the unit of others, these."""
    said = re.match(r"(?:\s*\+-\s*[\d.]+)?[\s~]*([a-z]+)", text[number.end :])
    if said is None:
        return scope.metrics
    if unit_after(number, text) is not None:
        timed = tuple(m.name for m in ledger.metrics if kind_of_metric(m) == "time")
        if timed and not set(timed) & set(scope.metrics):
            return tuple(name for name in scope.all_metrics if name in timed) or timed
    fitting = tuple(m.name for m in ledger.metrics if m.unit.split(" ")[0].lower() == said[1])
    own = [ledger.metric(name).unit.split(" ")[0].lower() for name in scope.metrics]
    if not fitting or said[1] in own:
        return scope.metrics
    return tuple(name for name in scope.all_metrics if name in fitting) or fitting


def readings(
    number: Printed, scope: Scope, text: str, ledger: Ledger, *, paired: bool, wider: bool
) -> Iterator[Scope]:
    """The scope, and wider ones for a number that is printed too precisely to match by chance."""
    yield scope
    if scope.every_run and not scope.data and not number.bound:
        yield from _universal(number, scope, ledger)
    if number.bound and not scope.runs and ERRORS.search(text.lower()):
        data = scope.data or ledger.datasets
        yield replace(scope, runs=tuple(ledger.numbers), data=data, open_run=False)
    if (
        wider
        and (number.significant >= 3 or paired)
        and scope.open_run
        and not (scope.runs and number.bound in {"above", "below", "at least", "at most"})
        and scope.metrics
        and scope.data
    ):
        every = tuple(ledger.numbers)
        yield replace(scope, runs=every, subjects=scope.subjects or every, open_run=False)
    if wider and paired and not scope.all_metrics:
        # a mean and its error together are of another metric or run by chance too rarely
        described = scope.open_run or not scope.runs
        runs = tuple(ledger.numbers) if described else scope.runs
        yield replace(scope, runs=runs, metrics=tuple(m.name for m in ledger.metrics))


def datasets_of(scope: Scope, metrics: tuple[str, ...], ledger: Ledger) -> tuple[str, ...]:
    """The named data sets that measure one of the metrics; without one, those that do if it is one."""
    measure = tuple(
        d
        for d in ledger.datasets
        if any((n, d, m) in ledger.cells for n in ledger.numbers for m in metrics)
    )
    named = tuple(d for d in scope.data if d in measure or d == AVERAGE)
    if named:
        return named
    return measure if len(measure) == 1 else ()


def compared(number: Printed, text: str) -> bool:
    """For "0.25 lower than", "34 % more"."""
    after = text[number.end : number.end + 40].lower()
    words_after = re.match(
        r"\W*(?:nats?|points?|bits?|percentage points?|of|ms\b|s\b|secs?\b|seconds?\b|minutes?\b|h\b|hours?\b)?\W*(\w+)",
        after,
    )
    if words_after and _MORE.fullmatch(words_after[1]):
        return number.percent or unit_after(number, text) is not None
    return bool(words_after) and any(p.fullmatch(words_after[1]) for p in words.CHANGES.values())  # type: ignore[index]


_MORE = re.compile(r"more|less|fewer|longer|shorter|faster|slower")


_AFTER_FROM = re.compile(r"\bfrom[\s$(]*(?:about |roughly |~)?$")
_AFTER_TO = re.compile(r"\bfrom\b[^;]{1,60}\bto[\s$(]*(?:about |roughly |~)?$")


_APART = re.compile(rf"{NAME}\s*,\s*(?:at|with|and|namely|reaching|ending at)?[\s$(]*$")
"""Behind "slower than the baseline, at 4800 s" stands the value of either side."""


def value_runs(number: Printed, scope: Scope, text: str) -> tuple[int, ...]:
    """The runs that a plain value may be of: after "from" the one that it is compared with, after "to"
    also the one that the sentence is about.
    """
    if scope.attached and len(scope.runs) == 1:
        return scope.runs
    before = text[max(0, number.start - 80) : number.start].lower()
    if _AFTER_FROM.search(before):
        return tuple(dict.fromkeys((*scope.objects, 0, *scope.runs)))
    if _AFTER_TO.search(before):
        return tuple(dict.fromkeys((*scope.runs, *scope.subjects, *scope.alone)))
    if len(scope.runs) == 1 and scope.runs[0] in scope.objects and _APART.search(before):
        return (*scope.runs, *scope.subjects)
    return scope.runs


def side_of(text: str) -> frozenset[Side]:
    """What the words of a text say of a change."""
    return frozenset(side for side, pattern in words.CHANGES.items() if pattern.search(text))  # type: ignore[misc]  # the keys of CHANGES
