"""What a number says of several runs at once: the value of a reading, and where it looks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from orchestrator.research.claims.bounds import Bound, is_bound_of
from orchestrator.research.claims.clause_cuts import part_around
from orchestrator.research.claims.durations import in_unit
from orchestrator.research.claims.ledger import AVERAGE, Ledger
from orchestrator.research.claims.mentions import NAME, Mention, Named
from orchestrator.research.claims.printed import Printed, is_printed, printed_numbers
from orchestrator.research.claims.readings import with_unit
from orchestrator.research.claims.scope import Context, Scope, scope_of


@dataclass(frozen=True, slots=True)
class WholeReading:
    """Whether what a number says of several runs holds, and how it was read."""

    holds: bool
    read: str


@dataclass(frozen=True, slots=True)
class SentencePart:
    """The part of a sentence around a number: ``before`` it and ``after`` it, in lower case, and the runs that are
    named there. In its text the names of single runs and of data sets are hidden, since words of them say nothing.
    """

    number: Printed
    text: str
    first: int
    before: str
    after: str
    runs: tuple[Mention, ...]
    scope: Scope

    @property
    def named(self) -> tuple[int, ...]:
        """The runs that it names one by one."""
        return numbers_of(one for one in self.runs if not one.every)

    def is_on(self, value: float, bound: Bound) -> bool:
        """Whether a value is on the side of the number, or is the number where the bound includes it."""
        number = self.number
        if bound in {"at least", "at most"} and is_printed(replace(number, bound=""), value):
            return True
        return is_bound_of(value, number.value, number.step, bound, far=True)

    def is_past(self, value: float, bound: Bound) -> bool:
        """Whether a value is on the side of the number, or is the number itself, and does not only round to it."""
        number = self.number
        if bound in {"at least", "at most"}:
            return value >= number.value if bound == "at least" else value <= number.value
        return is_bound_of(value, number.value, number.step, bound, far=True)


_OF_A_UNIT = re.compile(
    r"\s+(?:(?P<points>percentage\s+points?\b|points?\b)|percent\b|seconds?\b|minutes?\b|hours?\b|nats?\b|bits?\b)"
)


def part_of(
    number: Printed, seen: Named, text: str, context: Context, ledger: Ledger
) -> SentencePart:
    """``text`` is the sentence, in which names are not masked."""
    first, last = part_around(number.start, number.end, seen.masked, text)
    scope = scope_of(number, seen, seen.masked, context)
    if number.spelled and (unit := _OF_A_UNIT.match(text, number.end)):
        number = replace(number, spelled=False, points=bool(unit["points"]))
    hidden = [one for one in seen.runs if one.names and not one.every and not one.alias]
    for one in (*hidden, *(data for data in seen.data if not data.every)):
        text = text[: one.start] + NAME * (one.end - one.start) + text[one.end :]
    return SentencePart(
        number=number,
        text=text,
        first=first,
        before=text[first : number.start].lower(),
        after=text[number.end : last].lower(),
        runs=tuple(one for one in seen.runs if first <= one.start < last),
        scope=replace(scope, metrics=with_unit(number, scope, seen.masked, ledger)),
    )


def has_other_bounds(part: SentencePart) -> bool:
    """Whether the part bounds its runs by another number as well: "above 4 and below 12"."""
    last = part.number.end + len(part.after)
    others = printed_numbers(part.text[part.first : last])
    here = part.number.start - part.first
    return any(one.bound and not one.spelled and one.start != here for one in others)


def numbers_of(mentions: Iterable[Mention]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(name) for one in mentions for name in one.names))


def told_as(what: str, scope: Scope, ledger: Ledger) -> str:
    """How a number was read: what it says, and where."""
    data = ", ".join("the mean of all" if d == AVERAGE else d for d in scope.data[:3])
    metrics = ", ".join(scope.metrics[:3])
    return f"read as: {what}; data set: {data or ', '.join(ledger.datasets[:3])}; metric: {metrics or 'none'}"


def labels(runs: Sequence[int], ledger: Ledger) -> str:
    """The names of runs, for whoever corrects a sentence."""
    if len(runs) >= len(ledger.runs):
        return "all runs"
    return ", ".join(ledger.run(run).label for run in runs[:4]) + (" …" if len(runs) > 4 else "")


def data_of(scope: Scope, metric: str, ledger: Ledger) -> tuple[str, ...]:
    """The data sets of a scope, or all of them, that measure a metric."""
    return tuple(
        data
        for data in scope.data or ledger.datasets
        if any((run, data, metric) in ledger.cells for run in ledger.numbers)
    )


def measured_values(
    number: Printed, run: int, data: str, metric: str, text: str, ledger: Ledger, *, seeds: bool
) -> tuple[float, ...]:
    """The mean of a run, or its values per seed, in the unit of a number; none where that unit is another's."""
    cell = ledger.cells.get((run, data, metric))
    if cell is None:
        return ()
    known = ledger.metric(metric)
    scale = 100.0 if (number.percent or number.points) and known.share else 1.0
    as_bound = replace(number, bound="below")
    said = [
        in_unit(as_bound, value, text, known, ledger.words)
        for value in (cell.values if seeds else (cell.mean,))
    ]
    return tuple(value * scale for value in said if value is not None)


def places_in(scope: Scope, ledger: Ledger) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each metric of a scope with its data sets."""
    for metric in scope.metrics:
        if data := data_of(scope, metric, ledger):
            yield metric, data
