r"""Numbers by reference: an author names a quantity, the program prints it.

``\val{run}{data set}{metric}`` and its kind stand in an author's text. The program replaces each by
``\measured{id}{target}{digits}``: rightly rounded, with its error and unit, linked to the table of all
results. The id says which quantity it is, so that the digits can be printed again from the record and
compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from orchestrator.core.research import BASELINE
from orchestrator.research.claims.ledger import AVERAGE, Cell, Difference, Ledger
from orchestrator.research.paper.cells import printed_value
from orchestrator.research.paper.latex import closing, escape
from orchestrator.research.paper.numbers import format_mean

ONE_RUN = ("val", "mean", "pct", "low", "high")
TWO_RUNS = ("diff", "by", "change", "points", "ratio", "higher", "lower")
ARGUMENTS = (
    dict.fromkeys(ONE_RUN, ("run", "data", "metric"))
    | dict.fromkeys(TWO_RUNS, ("run", "against", "data", "metric"))
    | {"setting": ("name",), "settingof": ("run", "name"), "seconds": ("run",), "seeds": ("data",)}
)
"""The arguments of each macro, in order."""

_MACRO = re.compile(
    rf"\\({'|'.join(sorted(ARGUMENTS, key=len, reverse=True))})(?![A-Za-z])\s*(?=\{{)"
)
MEASURED = re.compile(r"\\measured\{([^{}]{1,200})\}\{([^{}]{0,80})\}(?=\{)")
_PLAIN_UNIT = re.compile(r"[A-Za-z][A-Za-z/ -]{0,19}")
_NO_UNIT = re.compile(r"fraction|share|accuracy|probability|none|^$", re.IGNORECASE)
MARK = 0xE200
"""The first of the characters that stand for references in a text that is read."""
FILLER = "\ue1ff"
"""Fills the place of a macro behind its character; no reader sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A quantity that is printed by reference. ``data`` and ``metric`` are empty for a setting or a time,
    ``name`` is that of a setting.
    """

    kind: str
    run: int = 0
    against: int | None = None
    data: str = ""
    metric: str = ""
    name: str = ""

    @property
    def pair(self) -> bool:
        return self.kind in TWO_RUNS


class UnknownQuantity(ValueError):
    """A macro names what was not measured; the text is for its author."""


def rendered(tex: str, ledger: Ledger, *, plain: bool = False) -> tuple[str, tuple[str, ...]]:
    """``tex`` with every macro as its digits, and the texts of what is wrong with macros in it.
    ``plain``: without links, as for a title.
    """
    parts, problems, at = [], list[str](), 0
    for start, end, kind, arguments in _macros(tex):
        try:
            one = reference(kind, arguments, ledger)
            digits = printed(one, ledger)
        except UnknownQuantity as error:
            problems.append(f"{tex[start:end][:160]}: {error}")
            continue
        if kind == "points" and re.match(r"\s*(?:\\%|percent\b)", tex[end:]):
            problems.append(
                f"{tex[start:end][:160]} is followed by a percent sign: write points, or \\change"
            )
        end = _without_unit(tex, end, one, ledger)
        parts += [tex[at:start], digits if plain else _linked(one, digits, ledger)]
        at = end
    if MEASURED.search(tex):
        problems.append(r"\measured is written by the program alone: use \val and its kind")
    return "".join([*parts, tex[at:]]), tuple(problems)


def _macros(tex: str) -> Iterator[tuple[int, int, str, list[str]]]:
    at = 0
    while match := _MACRO.search(tex, at):
        arguments, end = list[str](), match.end()
        for _ in ARGUMENTS[match[1]]:
            opening = re.compile(r"\s*\{").match(tex, end)
            if opening is None:
                break
            close = closing(tex, opening.end() - 1)
            arguments.append(tex[opening.end() : close])
            end = close + 1
        yield match.start(), end, match[1], arguments
        at = end


def reference(kind: str, arguments: list[str], ledger: Ledger) -> Reference:
    """The quantity that a macro names. Raises :class:`UnknownQuantity`."""
    names = ARGUMENTS[kind]
    if len(arguments) != len(names):
        wanted = "".join(f"{{{name}}}" for name in names)
        raise UnknownQuantity(f"write \\{kind}{wanted}")
    given = dict(zip(names, (_plain(one) for one in arguments), strict=True))
    known: dict[str, Callable[[str], Any]] = {
        "run": lambda said: _run(said, ledger),
        "against": lambda said: _run(said, ledger),
        "data": lambda said: _data(said, ledger),
        "metric": lambda said: _metric(said, ledger),
        "name": str,
    }
    found = Reference(kind=kind, **{key: known[key](said) for key, said in given.items()})
    if found.metric:
        runs = [found.run, *([found.against] if found.against is not None else [])]
        for run in runs:
            _cell(run, found.data, found.metric, ledger)
    return found


def _plain(argument: str) -> str:
    return " ".join(re.sub(r"\\(?=[_%&#$])", "", argument).split())


def _run(said: str, ledger: Ledger) -> int:
    number = re.fullmatch(r"(?:run\s*)?(\d{1,4})", said, re.IGNORECASE)
    for run in ledger.runs:
        own = {run.name.lower(), *([BASELINE] if run.number == 0 else [])}
        if said.lower() in own or (number and int(number[1]) == run.number):
            return run.number
    _none("run", said, [run.name for run in ledger.runs])


def _data(said: str, ledger: Ledger) -> str:
    if said.lower() in {"mean", "average", AVERAGE}:
        return AVERAGE
    for name in ledger.datasets:
        if _folded(said) == _folded(name):
            return name
    _none("data set", said, [*ledger.datasets, "mean"])


def _metric(said: str, ledger: Ledger) -> str:
    for one in ledger.metrics:
        if _folded(said).removesuffix("mean") == _folded(one.name).removesuffix("mean"):
            return one.name
    _none("metric", said, [one.name for one in ledger.metrics])


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.lower())


def _none(what: str, said: str, known: list[str]) -> NoReturn:
    raise UnknownQuantity(f"there is no {what} {said!r}; there are: {', '.join(known[:30])}")


def _cell(run: int, data: str, metric: str, ledger: Ledger) -> Cell:
    cell = ledger.cells.get((run, data, metric))
    if cell is None:
        where = "the mean over the data sets" if data == AVERAGE else data
        raise UnknownQuantity(f"{ledger.run(run).label} has no {metric} on {where}")
    return cell


# --- digits ---------------------------------------------------------------------------------------


def printed(one: Reference, ledger: Ledger) -> str:
    """The digits of a quantity as LaTeX. Raises :class:`UnknownQuantity`."""
    if one.kind in ONE_RUN:
        return _of_one(one, _cell(one.run, one.data, one.metric, ledger), ledger)
    if one.pair:
        return _of_two(one, ledger)
    if one.kind == "seconds":
        return f"${ledger.run(one.run).seconds:.0f}$ s"
    if one.kind == "seeds":
        counts = [count for what, count in ledger.counts if what == f"seeds of {one.data}"]
        every = {count for what, count in ledger.counts if what.startswith("seeds of ")}
        if one.data == AVERAGE and len(every) == 1:
            counts = [*every]
        if not counts:
            _none("count of seeds of", one.data, [])
        return str(counts[0])
    return _setting(one, ledger)


def _of_one(one: Reference, cell: Cell, ledger: Ledger) -> str:
    if one.kind in {"low", "high"}:
        if not cell.values:
            raise UnknownQuantity(f"{one.metric} has no values per seed")
        return f"${format_mean((min if one.kind == 'low' else max)(cell.values))}$"
    if one.kind == "pct":
        if not ledger.metric(one.metric).share:
            raise UnknownQuantity(f"{one.metric} is no share: use \\val")
        places = 1 if cell.mean < 0.9995 else 0
        return rf"{100 * cell.mean:.{places}f}\%"
    unit = unit_of(one, ledger)
    if one.kind == "mean" and cell.error and 1e-4 <= abs(cell.mean) < 1e6:
        return f"${format_mean(cell.mean, cell.error)}${unit}"
    error = None if one.kind == "mean" or len(cell.values) == 1 else cell.error
    return f"{printed_value(cell.mean, error)}{unit}"


def unit_of(one: Reference, ledger: Ledger) -> str:
    """The unit that is printed after a mean or a difference: a tilde and the word, or nothing."""
    unit = ledger.metric(one.metric).unit if one.metric else ""
    if one.kind not in {"val", "mean", "diff", "by"} or _NO_UNIT.search(unit):
        return ""
    return f"~{escape(unit)}" if _PLAIN_UNIT.fullmatch(unit) else ""


def _of_two(one: Reference, ledger: Ledger) -> str:
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


def _difference(one: Reference, found: Difference, ledger: Ledger) -> str:
    value = abs(found.value) if one.kind == "by" else found.value
    digits = printed_value(value, found.error)
    if one.kind == "diff" and found.value > 0:
        digits = f"$+{digits.removeprefix('$')}"
    return f"{digits}{unit_of(one, ledger)}"


def _significant(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "inf"
    size = math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(digits - 1 - size, 0), 9)}f}"


def _setting(one: Reference, ledger: Ledger) -> str:
    name = one.name.lower()
    if one.kind == "settingof":
        changed = [s for s in ledger.run(one.run).changed if s.name.lower() == name]
        if changed:
            return f"{changed[0].value:g}"
    values = [s.value for s in ledger.base_settings if s.name.lower() == name]
    if not values:
        known = [s.name for s in ledger.base_settings if len(s.name) > 2]
        _none("setting", one.name, list(dict.fromkeys(known)))
    return f"{values[0]:g}"


# --- source and reading ---------------------------------------------------------------------------


def _linked(one: Reference, digits: str, ledger: Ledger) -> str:
    return rf"\measured{{{identity(one, ledger)}}}{{{target(ledger, one)}}}{{{digits}}}"


def identity(one: Reference, ledger: Ledger) -> str:
    """The id of a quantity: its kind, runs, data set and metric by number, or a setting's name."""
    if not one.metric:
        what = one.name or ("m" if one.data == AVERAGE else str(_place(one.data, ledger)))
        return f"{one.kind}-{one.run}-{what}"
    data = "m" if one.data == AVERAGE else str(_place(one.data, ledger))
    metric = [m.name for m in ledger.metrics].index(one.metric)
    against = "x" if one.against is None else str(one.against)
    return f"{one.kind}-{one.run}-{against}-{data}-{metric}"


def _place(data: str, ledger: Ledger) -> int:
    return ledger.datasets.index(data) if data in ledger.datasets else 0


def target(ledger: Ledger, one: Reference) -> str:
    """The place in the table of all results that a number links to."""
    if not one.metric:
        return "settings"
    data = next(
        (d for d in ledger.datasets if (one.run, d, one.metric) in ledger.cells)
        if one.data == AVERAGE
        else iter([one.data])
    )
    metric = [m.name for m in ledger.metrics].index(one.metric)
    return f"m-{one.run}-{ledger.datasets.index(data)}-{metric}"


def identified(said: str, ledger: Ledger) -> Reference | None:
    """The quantity of an id; None where there is none."""
    if other := re.fullmatch(r"(setting|settingof|seconds|seeds)-(\d+)-([\w.]+)", said):
        return _other(other[1], int(other[2]), other[3], ledger)
    match = re.fullmatch(r"([a-z]+)-(\d+)-(x|\d+)-(m|\d+)-(\d+)", said)
    if match is None or match[1] not in (*ONE_RUN, *TWO_RUNS):
        return None
    places = int(match[2]), int(match[3]) if match[3] != "x" else None, int(match[5])
    inside = match[4] == "m" or int(match[4]) < len(ledger.datasets)
    if not inside or places[2] >= len(ledger.metrics) or places[0] not in ledger.numbers:
        return None
    data = AVERAGE if match[4] == "m" else ledger.datasets[int(match[4])]
    metric = ledger.metrics[places[2]].name
    return Reference(kind=match[1], run=places[0], against=places[1], data=data, metric=metric)


def _other(kind: str, run: int, what: str, ledger: Ledger) -> Reference | None:
    if run not in ledger.numbers:
        return None
    if kind != "seeds":
        return Reference(kind=kind, run=run, name=what if kind != "seconds" else "")
    if what == "m":
        return Reference(kind=kind, data=AVERAGE)
    inside = what.isdigit() and int(what) < len(ledger.datasets)
    return Reference(kind=kind, data=ledger.datasets[int(what)]) if inside else None


def _without_unit(tex: str, end: int, one: Reference, ledger: Ledger) -> int:
    """Where the text goes on: a unit that an author wrote after a number that has one is left out."""
    unit = unit_of(one, ledger).lstrip("~")
    if one.kind in {"pct", "change"}:
        again = re.compile(r"\s*(?:\\%|percent\b)").match(tex, end)
        return again.end() if again else end
    again = (
        re.compile(rf"[\s~]*{re.escape(unit)}\b", re.IGNORECASE).match(tex, end) if unit else None
    )
    return again.end() if again else end


def marked(tex: str, ledger: Ledger) -> tuple[str, dict[str, Reference], tuple[str, ...]]:
    r"""``tex`` with one character in place of every macro and every ``\measured``, followed by fillers
    so that all other text stays at its place; what each character stands for; and what is wrong: an id
    of nothing, digits that the record does not print, a macro of something that was not measured.
    """
    found, problems = dict[str, Reference](), list[str]()
    parts, at = [], 0
    spans = sorted([*_printed_spans(tex, ledger, problems), *_macro_spans(tex, ledger, problems)],
                   key=lambda span: span[0])  # fmt: skip
    for start, end, one in spans:
        if start >= at:
            mark = chr(MARK + len(found) % 0x1500)
            found[mark] = one
            parts += [tex[at:start], mark, FILLER * (end - start - 1)]
            at = end
    return "".join([*parts, tex[at:]]), found, tuple(problems)


def _printed_spans(
    tex: str, ledger: Ledger, problems: list[str]
) -> Iterator[tuple[int, int, Reference]]:
    for match in MEASURED.finditer(tex):
        end = closing(tex, match.end())
        digits = tex[match.end() + 1 : end]
        one = identified(match[1], ledger)
        if one is not None and _prints(one, digits, ledger):
            yield match.start(), end + 1, one
        else:
            problems.append(f"{digits!r} is not what the record prints for {match[1]!r}")


def _macro_spans(
    tex: str, ledger: Ledger, problems: list[str]
) -> Iterator[tuple[int, int, Reference]]:
    for start, end, kind, arguments in _macros(tex):
        try:
            one = reference(kind, arguments, ledger)
            printed(one, ledger)
        except UnknownQuantity as error:
            problems.append(f"{tex[start:end][:160]}: {error}")
        else:
            yield start, _without_unit(tex, end, one, ledger), one


def _prints(one: Reference, digits: str, ledger: Ledger) -> bool:
    try:
        return printed(one, ledger) == digits
    except UnknownQuantity:
        return False
