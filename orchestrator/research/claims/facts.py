"""The facts that a number of a sentence may state, within its scope: values, errors, changes, ratios."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Literal

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import AVERAGE, Ledger, Side
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.scope import Context, Scope, scope_of

Kind = Literal["value", "error", "difference", "percent", "ratio", "spread", "combined", "errors"]
_BY = re.compile(
    r"\b(?:by|differences?|gap|changes?|advantage|gains?|loses?|lost|drops?|rises?|falls?|shifts?|costs?|adds?"
    r"|effect|improve\w*|reduc\w+|increase\w*|decrease\w*|apart|paired|lower\w*|lifts?|raises?|take\w* off"
    r"|benefit|penalty|price|removes?)\b"
)
_RATIO = re.compile(r"\b(?:factor|times|ratio|fold|multiple|twice)\b|×")
_SPREAD = re.compile(
    r"\b(?:rang\w+|between|spread|from|seeds?|lowest|highest|minimum|maximum|single)\b"
)
_ERRORS = re.compile(r"standard errors?|\+-|uncertaint|\bs\.e\.|\berrors?\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A quantity of the record: of one run, or of ``run`` less, or over, ``against``."""

    kind: Kind
    value: float
    run: int
    dataset: str
    metric: str
    against: int | None = None

    def source(self, ledger: Ledger) -> str:
        """Where it was measured, in one line."""
        data = "mean over the data sets" if self.dataset == AVERAGE else self.dataset
        place = f"{data}, {self.metric}"
        if self.against is None:
            return f"{ledger.run(self.run).label}, {place}: {_SAID[self.kind]}"
        other = ledger.run(self.against).label
        return f"{ledger.run(self.run).label} against {other}, {place}: {_SAID[self.kind]}"


_SAID: dict[Kind, str] = {
    "value": "mean", "error": "standard error", "difference": "difference", "spread": "one seed's value",
    "percent": "percent change", "ratio": "ratio", "combined": "error of the difference", "errors": "difference in standard errors",
}  # fmt: skip


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
    scope = replace(scope, metrics=_with_unit(number, scope, text, ledger))
    wider = not strict or paired or after_error
    for one in _readings(number, scope, text, ledger, paired=paired or after_error, wider=wider):
        metrics = one.metrics or ledger.headline or tuple(m.name for m in ledger.metrics)
        for dataset, metric in product(_datasets(one, metrics, ledger), metrics):
            for fact in _facts(number, one, dataset, metric, text, ledger, after_error=after_error):
                if _prints(number, fact, ledger) and _agrees(fact, number, text, ledger):
                    return fact
    return None


_CUT = re.compile(r"[;:]|,?\s+(?:while|whereas|but|although|though|which)\b|,\s+(?=[a-z])")


def clause_around(start: int, end: int, text: str) -> str:
    """The clause in which a number stands."""
    cuts = [match for match in _CUT.finditer(text) if not start <= match.start() < end]
    first = max((match.end() for match in cuts if match.end() <= start), default=0)
    last = min((match.start() for match in cuts if match.start() >= end), default=len(text))
    return text[first:last]


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


def _with_unit(number: Printed, scope: Scope, text: str, ledger: Ledger) -> tuple[str, ...]:
    """The metrics of a scope; where the word after the number is the unit of others, these."""
    said = re.match(r"(?:\s*\+-\s*[\d.]+)?[\s~]*([a-z]+)", text[number.end :])
    if said is None:
        return scope.metrics
    fitting = tuple(m.name for m in ledger.metrics if m.unit.split(" ")[0].lower() == said[1])
    own = [ledger.metric(name).unit.split(" ")[0].lower() for name in scope.metrics]
    if not fitting or said[1] in own:
        return scope.metrics
    return tuple(name for name in scope.all_metrics if name in fitting) or fitting


def _readings(
    number: Printed, scope: Scope, text: str, ledger: Ledger, *, paired: bool, wider: bool
) -> Iterator[Scope]:
    """The scope, and wider ones for a number that is printed too precisely to match by chance."""
    yield scope
    if scope.every_run and not scope.data and not number.bound:
        yield from _universal(number, scope, ledger)
    if number.bound and not scope.runs and _ERRORS.search(text.lower()):
        data = scope.data or ledger.datasets
        yield replace(scope, runs=tuple(ledger.numbers), data=data, open_run=False)
    if (
        wider
        and (number.significant >= 3 or paired)
        and scope.open_run
        and scope.metrics
        and scope.data
    ):
        every = tuple(ledger.numbers)
        yield replace(scope, runs=every, subjects=scope.subjects or every, open_run=False)


def _datasets(scope: Scope, metrics: tuple[str, ...], ledger: Ledger) -> tuple[str, ...]:
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
    pairs = tuple(_pairs(scope, ledger))
    if re.match(r"\s*(?:combined |standard )*errors?\b", text[number.end :]):
        for fact in _differences(pairs, dataset, metric, ledger):
            found = ledger.difference(fact.run, fact.against or 0, dataset, metric)
            if found is not None and found.error:
                yield replace(fact, kind="errors", value=abs(found.value) / found.error)
    yield from _gaps(number, scope, dataset, metric, here, ledger)
    if number.times or _RATIO.search(here):
        yield from _ratios(pairs, dataset, metric, ledger)
    if number.times:
        return
    if after_error:
        yield from _errors(scope, pairs, dataset, metric, ledger)
        return
    changed = _BY.search(near) or number.signed or number.points or _compared(number, text)
    if changed:
        yield from _differences(pairs, dataset, metric, ledger)
        if number.percent:
            yield from _percents(pairs, dataset, metric, ledger)
    for run in _value_runs(number, scope, text):
        cell = ledger.cells.get((run, dataset, metric))
        if cell is not None:
            yield Fact(kind="value", value=cell.mean, run=run, dataset=dataset, metric=metric)
            if _SPREAD.search(text.lower()):
                for value in sorted(
                    {min(cell.values, default=cell.mean), max(cell.values, default=cell.mean)}
                ):
                    yield Fact(kind="spread", value=value, run=run, dataset=dataset, metric=metric)
    if _ERRORS.search(text.lower()):
        yield from _errors(scope, pairs, dataset, metric, ledger)


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


def _compared(number: Printed, text: str) -> bool:
    """ "0.25 lower than", "34 % more"."""
    after = text[number.end : number.end + 40].lower()
    words_after = re.match(r"\W*(?:nats?|points?|bits?|percentage points?|of)?\W*(\w+)", after)
    return bool(words_after) and any(p.fullmatch(words_after[1]) for p in words.CHANGES.values())  # type: ignore[index]


def _value_runs(number: Printed, scope: Scope, text: str) -> tuple[int, ...]:
    """The runs that a plain value may be of: after "from" the one that it is compared with."""
    before = text[max(0, number.start - 12) : number.start].lower()
    if re.search(r"\bfrom[\s$(]*(?:about |roughly |~)?$", before):
        others = tuple(dict.fromkeys((*scope.objects, 0, *scope.runs)))
        return others
    return scope.runs


def _pairs(scope: Scope, ledger: Ledger) -> Iterator[tuple[int, int]]:
    """(run, other) that a change may be of."""
    subjects = [n for n in scope.subjects] or list(scope.runs)
    objects = list(scope.objects)
    if not objects:
        objects = [0, *(ledger.run(n).base for n in subjects), *scope.subjects]
    seen = set()
    for one in subjects:
        for other in objects:
            if one != other and (one, other) not in seen:
                seen.add((one, other))
                yield one, other


def _differences(
    pairs: tuple[tuple[int, int], ...], dataset: str, metric: str, ledger: Ledger
) -> Iterator[Fact]:
    for run, other in pairs:
        found = ledger.difference(run, other, dataset, metric)
        if found is not None:
            yield Fact(
                kind="difference",
                value=found.value,
                run=run,
                against=other,
                dataset=dataset,
                metric=metric,
            )


def _percents(
    pairs: tuple[tuple[int, int], ...], dataset: str, metric: str, ledger: Ledger
) -> Iterator[Fact]:
    for fact in _ratios(pairs, dataset, metric, ledger, inverse=False):
        yield Fact(
            kind="percent", value=(fact.value - 1) * 100, run=fact.run, against=fact.against,
            dataset=dataset, metric=metric,
        )  # fmt: skip


def _ratios(
    pairs: tuple[tuple[int, int], ...],
    dataset: str,
    metric: str,
    ledger: Ledger,
    *,
    inverse: bool = True,
) -> Iterator[Fact]:
    for run, other in pairs:
        one, two = (ledger.cells.get((n, dataset, metric)) for n in (run, other))
        if one is None or two is None:
            continue
        if two.mean:
            yield Fact(
                kind="ratio",
                value=one.mean / two.mean,
                run=run,
                against=other,
                dataset=dataset,
                metric=metric,
            )
        if inverse and one.mean:
            yield Fact(
                kind="ratio",
                value=two.mean / one.mean,
                run=run,
                against=other,
                dataset=dataset,
                metric=metric,
            )


def _errors(
    scope: Scope, pairs: tuple[tuple[int, int], ...], dataset: str, metric: str, ledger: Ledger
) -> Iterator[Fact]:
    for run in scope.runs:
        cell = ledger.cells.get((run, dataset, metric))
        if cell is not None and cell.error is not None:
            yield Fact(kind="error", value=cell.error, run=run, dataset=dataset, metric=metric)
    for run, other in pairs:
        found = ledger.difference(run, other, dataset, metric)
        if found is not None and found.error is not None:
            yield Fact(
                kind="combined",
                value=found.error,
                run=run,
                against=other,
                dataset=dataset,
                metric=metric,
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


def side_of(text: str) -> frozenset[Side]:
    """What the words of a text say of a change."""
    return frozenset(side for side, pattern in words.CHANGES.items() if pattern.search(text))  # type: ignore[misc]  # the keys of CHANGES


def run_seconds(number: Printed, scope: Scope, text: str, ledger: Ledger) -> str:
    """The run whose wall time a number of seconds is; empty if none's."""
    if not re.match(r"\s*(?:wall[- ]clock )?(?:seconds?|s)\b", text[number.end :]):
        return ""
    for run in scope.runs or ledger.numbers:
        if is_printed(number, ledger.run(run).seconds):
            return f"{ledger.run(run).label}: seconds"
    return ""


def joint_sources(
    numbers: Sequence[Printed],
    untraced: Sequence[Printed],
    seen: Named,
    ledger: Ledger,
    context: Context,
) -> dict[int, str]:
    """Sources for numbers whose run a sentence describes without its name. Two or more must be of one
    run, or of two that are compared: together they match by chance too rarely.
    """
    open_ones = []
    for number in numbers:
        scope = scope_of(number, seen, seen.masked, context)
        if scope.open_run and not number.spelled and "." in number.text:
            open_ones.append((number, scope))
    missing = {number.start for number in untraced if not number.spelled}
    if (
        len(open_ones) < 2
        or not missing
        or not missing <= {number.start for number, _ in open_ones}
    ):
        return {}
    two = bool(_TWO_SIDES.search(seen.masked.lower()))
    runs = [(n,) for n in ledger.numbers] + [
        (a, b) for a, b in permutations(ledger.numbers, 2) if two
    ]
    for chosen in runs:
        found = _explained(open_ones, chosen, seen.masked, ledger)
        if len(found) == len(open_ones) and len({fact.metric for fact in found.values()}) == 1:
            return {start: fact.source(ledger) for start, fact in found.items() if start in missing}
    return {}


_TWO_SIDES = re.compile(
    r"\b(?:from|versus|vs|against|compared|instead of|than|while|where|whereas|and)\b"
)


def _explained(
    rows: Iterable[tuple[Printed, Scope]], runs: tuple[int, ...], text: str, ledger: Ledger
) -> dict[int, Fact]:
    """The facts that numbers state if they are of these runs, in turn."""
    found: dict[int, Fact] = {}
    place = 0
    for number, scope in rows:
        one = runs[place % len(runs)]
        others = runs[:1] if len(runs) > 1 else ()
        wide = replace(scope, runs=(one,), subjects=runs[-1:], objects=others, open_run=False)
        after_error = bool(re.search(r"\+-\s*$", text[: number.start]))
        fact = found_fact(number, wide, text, ledger, after_error=after_error, paired=False)
        if fact is not None:
            found[number.start] = fact
            place += fact.kind == "value"
    return found
