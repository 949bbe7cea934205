"""Sentences and tables made of the values of kept studies: true as the record says, and false by one exchange."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.research.claims.check import check_source
from orchestrator.research.claims.ledger import KnownMetric, KnownRun, Ledger
from orchestrator.research.paper.latex import BEGIN, END, escape
from orchestrator.research.paper.tables import metric_words
from tests.support import trial

STUDIES = trial.STUDIES
_APART = 0.02  # values that are alike are told apart by no reader


@dataclass(frozen=True)
class Probe:
    """A text about a kept study, and whether it is true."""

    study: str
    kind: str
    true: bool
    text: str


@dataclass(frozen=True)
class _Place:
    """Three changed runs and the baseline, with different values of a metric on a data set."""

    ledger: Ledger
    data: str
    metric: KnownMetric
    runs: tuple[KnownRun, ...]

    def value(self, run: KnownRun, data: str = "", metric: str = "") -> float:
        return self.ledger.cells[run.number, data or self.data, metric or self.metric.name].mean

    def has(self, data: str, metric: str) -> bool:
        return all((run.number, data, metric) in self.ledger.cells for run in self.runs)

    @property
    def named(self) -> str:
        return metric_words(self.metric.name)

    @property
    def on(self) -> str:
        return f"On {escape(self.data)}"


def problems(row: Probe, *, strict: bool) -> list[str]:
    """What is wrong with a text in the results of a paper."""
    tex = rf"{BEGIN}\section{{Results}}{row.text}{END}"
    found = check_source(tex, trial.ledger(row.study), strict=strict)
    return [said for one in found for said in one.problems]


def sentences_of(study: str, sample: random.Random) -> Iterator[Probe]:
    """Texts of every kind, about each headline metric on each data set, with runs by chance."""
    ledger = trial.ledger(study)
    for metric in ledger.metrics:
        for data in ledger.datasets:
            place = _place(ledger, data, metric, sample) if metric.headline else None
            if place is not None:
                for kind, true, false in (*_prose(place), *_several(place), *_tables(place)):
                    yield Probe(study=study, kind=kind, true=True, text=true)
                    yield Probe(study=study, kind=kind, true=False, text=false)


def _place(ledger: Ledger, data: str, metric: KnownMetric, sample: random.Random) -> _Place | None:
    known = [run for run in ledger.runs if (run.number, data, metric.name) in ledger.cells]
    if len(known) < 4 or known[0].number:
        return None
    place = _Place(ledger, data, metric, (known[0], *sample.sample(known[1:], 3)))
    values = sorted(place.value(run) for run in place.runs)
    gaps = [after - before for before, after in pairwise(values)]
    return place if values[0] > _APART and min(gaps) > _APART * values[-1] else None


def _digits(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


def _name(run: KnownRun) -> str:
    return escape(run.name) if run.number else "the baseline"


def _prose(at: _Place) -> Iterator[tuple[str, str, str]]:
    """(kind, true, false) of sentences."""
    base, one, two, three = at.runs
    what, values = at.named, [at.value(run) for run in at.runs]
    b, v, w, z = map(_digits, values)
    own, rises = _name(one), values[1] > values[0]
    up, down = (
        ("rises", "higher") if rises else ("falls", "lower"),
        ("falls", "lower") if rises else ("rises", "higher"),
    )
    large, small = (one, base) if rises else (base, one)
    ratio = f"{max(values[:2]) / min(values[:2]):.2f}"
    yield "value", f"{at.on}, the {what} of {own} is {v}.", f"{at.on}, the {what} of {own} is {b}."
    said = f"{at.on}, the {what} %s from %s in the baseline to %s in {own}."
    yield "from-to", said % (up[0], b, v), said % ("goes", v, b)
    said = f"{at.on}, {own} takes the {what} from %s to %s."
    yield "takes", said % (b, v), said % (v, b)
    for word, factor in (
        ("above", 0.97),
        ("below", 1.03),
        ("at least", 0.98),
        ("at most", 1.02),
        ("over", 0.96),
        ("under", 1.04),
    ):
        said = f"{at.on}, the {what} of {own} is {word} %s."
        yield "bound", said % _digits(values[1] * factor), said % _digits(values[1] * (2 - factor))
    said = f"{at.on}, {own}, {_name(two)} and {_name(three)} have a {what} of %s, %s and %s, respectively."
    yield "respectively", said % (v, w, z), said % (w, v, z)
    if float(ratio) > 1.1:
        said = f"{at.on}, the {what} of {_name(large)} is {ratio} times %s than that of {_name(small)}."
        yield "times", said % "larger", said % "smaller"
        said = f"{at.on}, the {what} of {{}} is {ratio} times that of {{}}."
        yield (
            "times that",
            said.format(_name(large), _name(small)),
            said.format(_name(small), _name(large)),
        )
    said = f"{at.on}, the {what} of {own} is %s than that of the baseline by {_digits(abs(values[1] - values[0]))}."
    yield "by", said % up[1], said % down[1]
    every = [
        at.ledger.cells[n, at.data, at.metric.name].mean
        for n in at.ledger.numbers
        if (n, at.data, at.metric.name) in at.ledger.cells
    ]
    said = f"The %s {what} on {escape(at.data)} is %s."
    yield (
        "extreme",
        said % ("highest", _digits(max(every))),
        said % ("highest", _digits(min(every))),
    )
    said = f"{at.on}, we look at the {what} of {own}.\\footnote{{It is %s.}}"
    yield "footnote", said % v, said % w
    seeds = at.ledger.cells[one.number, at.data, at.metric.name].values
    if len(seeds) > 1 and (deviation := statistics.stdev(seeds)) > _APART * values[1] > 0.001:
        said = (
            f"{at.on}, the {what} of {own} is {v}, with a standard deviation of %s over the seeds."
        )
        yield "deviation", said % _digits(deviation), said % _digits(deviation * 1.6)


def _several(at: _Place) -> Iterator[tuple[str, str, str]]:
    """(kind, true, false) of sentences about the distance of two runs, and about how many runs are beyond a bound."""
    one, two, what = at.runs[1], at.runs[2], at.named
    apart = abs(at.value(one) - at.value(two))
    names = f"{_name(one)} and {_name(two)}"
    near, less = _digits(apart * 1.3), _digits(apart * 0.6)
    if apart > 0.02:
        said = f"{at.on}, the {what} of {names} is within %s of each other."
        yield "within", said % near, said % less
        said = f"{at.on}, {names} differ in {what} by less than %s."
        yield "differ", said % near, said % less
        said = f"{at.on}, {names} are more than %s apart in {what}."
        yield "apart", said % less, said % near
    place = (at.data, at.metric.name)
    known = [run for run in at.ledger.runs if (run.number, *place) in at.ledger.cells]
    known.sort(key=at.value)
    *_, third, second, first = map(at.value, known)
    if first - second > _APART * first and second - third > _APART * first:
        high, low = _digits((first + second) / 2), _digits((second + third) / 2)
        for said in (
            f"{at.on}, only one run has a {what} above %s.",
            f"{at.on}, only {_name(known[-1])} has a {what} above %s.",
            f"{at.on}, all runs but {_name(known[-1])} have a {what} below %s.",
            f"{at.on}, neither {_name(known[-2])} nor {_name(known[0])} exceeds a {what} of %s.",
        ):
            yield "counted", said % high, said % low
        if known[-1].number:  # of the baseline, "no run" may say nothing
            said = f"{at.on}, no run has a {what} above %s."
            yield "none", said % _digits(first * 1.03), said % high


def _table(caption: str, head: list[str], rows: list[list[str]]) -> str:
    lines = "".join(rf"{' & '.join(row)} \\ " for row in rows)
    return (
        rf"\begin{{table}}\caption{{{caption}}}\begin{{tabular}}{{l{'r' * (len(head) - 1)}}} \toprule {' & '.join(head)} \\ "
        rf"\midrule {lines}\bottomrule \end{{tabular}}\end{{table}}"
    )


def _tables(at: _Place) -> Iterator[tuple[str, str, str]]:
    """(kind, true, false) of tables: false by an exchange of two heads."""
    runs, caption = at.runs[:3], f"Results {at.on.lower().replace('on', 'on', 1)}."
    other = next(
        (
            one
            for one in at.ledger.metrics
            if one.headline and one.name != at.metric.name and _differs(at, one.name)
        ),
        None,
    )
    if other is not None:
        names = [at.named, metric_words(other.name)]
        columns = [
            [_digits(at.value(run, metric=m.name)) for run in runs] for m in (at.metric, other)
        ]
        rows = [[_name(run), a, b] for run, a, b in zip(runs, *columns, strict=True)]
        yield (
            "columns",
            _table(caption, ["Run", *names], rows),
            _table(caption, ["Run", *names[::-1]], rows),
        )
        swapped = [[_name(runs[1]), *rows[0][1:]], [_name(runs[0]), *rows[1][1:]], rows[2]]
        yield (
            "rows",
            _table(caption, ["Run", *names], rows),
            _table(caption, ["Run", *names], swapped),
        )
        heads = ["", *(_name(run) for run in runs)]
        across = [[name, *column] for name, column in zip(names, columns, strict=True)]
        exchanged = [[name, *column] for name, column in zip(names[::-1], columns, strict=True)]
        yield "runs above", _table(caption, heads, across), _table(caption, heads, exchanged)
    beside = next(
        (data for data in at.ledger.datasets if data != at.data and at.has(data, at.metric.name)),
        None,
    )
    if beside is not None and all(_far(at.value(run), at.value(run, beside)) for run in runs):
        rows = [
            [_name(run), _digits(at.value(run)), _digits(at.value(run, beside))] for run in runs
        ]
        both = [escape(at.data), escape(beside)]
        said = f"{at.named.capitalize()} on each data set."
        yield (
            "data above",
            _table(said, ["Run", *both], rows),
            _table(said, ["Run", *both[::-1]], rows),
        )


def _differs(at: _Place, metric: str) -> bool:
    return at.has(at.data, metric) and all(
        _far(at.value(run), at.value(run, metric=metric)) for run in at.runs
    )


def _far(one: float, two: float) -> bool:
    return abs(one - two) > _APART * max(abs(one), abs(two)) and abs(one - two) > 0.002
