"""A quantity that an author names instead of typing a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from orchestrator.core.research import BASELINE
from orchestrator.research.claims.ledger import (
    AVERAGE,
    Cell,
    Ledger,
)

ONE_RUN = ("val", "mean", "pct", "low", "high", "median")


TWO_RUNS = ("diff", "by", "change", "points", "ratio", "higher", "lower")


OF_TWO_METRICS = ("correlation", "gap")
"""Of two metrics of one run, over the same seeds."""


ARGUMENTS = (
    dict.fromkeys(ONE_RUN, ("run", "data", "metric"))
    | dict.fromkeys(TWO_RUNS, ("run", "against", "data", "metric"))
    | dict.fromkeys(OF_TWO_METRICS, ("run", "data", "metric", "with_metric"))
    | {"setting": ("name",), "settingof": ("run", "name"), "seconds": ("run",), "seeds": ("data",)}
)
"""The arguments of each macro, in order."""


_METRIC_OF_A_RUN = re.compile(r"(\S+) of (\S.*)")
"""A gap's other metric, where it is another run's: "final_loss of baseline"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A quantity that is printed by reference. ``data`` and ``metric`` are empty for a setting or a time,
    ``name`` is that of a setting, ``with_metric`` the other metric of a correlation or a gap, which is that of the run ``against`` where one is named.
    """

    kind: str
    run: int = 0
    against: int | None = None
    data: str = ""
    metric: str = ""
    name: str = ""
    with_metric: str = ""

    @property
    def pair(self) -> bool:
        return self.kind in TWO_RUNS


class UnknownQuantity(ValueError):
    """A macro names what was not measured; the text is for its author."""


def reference(kind: str, arguments: list[str], ledger: Ledger) -> Quantity:
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
        "with_metric": lambda said: _metric(said, ledger),
        "name": str,
    }
    if kind == "gap" and (other := _METRIC_OF_A_RUN.fullmatch(given["with_metric"])):
        given |= {"with_metric": other[1], "against": other[2]}
    found = Quantity(kind=kind, **{key: known[key](said) for key, said in given.items()})
    if found.pair and found.against is not None:
        cell_of(found.against, found.data, found.metric, ledger)
    if found.metric:
        cell_of(found.run, found.data, found.metric, ledger)
    return found


def _plain(argument: str) -> str:
    return " ".join(re.sub(r"\\(?=[_%&#$])", "", argument).split())


def _run(said: str, ledger: Ledger) -> int:
    number = re.fullmatch(r"(?:run\s*)?(\d{1,4})", said, re.IGNORECASE)
    for run in ledger.runs:
        own = {run.name.lower(), *([BASELINE] if run.number == 0 else [])}
        if said.lower() in own or (number and int(number[1]) == run.number):
            return run.number
    return no_such("run", said, [run.name for run in ledger.runs])


def _data(said: str, ledger: Ledger) -> str:
    if said.lower() in {"mean", "average", AVERAGE}:
        return AVERAGE
    for name in ledger.datasets:
        if _folded(said) == _folded(name):
            return name
    return no_such("data set", said, [*ledger.datasets, "mean"])


def _metric(said: str, ledger: Ledger) -> str:
    for one in ledger.metrics:
        if _folded(said).removesuffix("mean") == _folded(one.name).removesuffix("mean"):
            return one.name
    return no_such("metric", said, [one.name for one in ledger.metrics])


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.lower())


def no_such(what: str, said: str, known: list[str]) -> NoReturn:
    raise UnknownQuantity(f"there is no {what} {said!r}; there are: {', '.join(known[:30])}")


def cell_of(run: int, data: str, metric: str, ledger: Ledger) -> Cell:
    cell = ledger.cells.get((run, data, metric))
    if cell is None:
        where = "the mean over the data sets" if data == AVERAGE else data
        raise UnknownQuantity(f"{ledger.run(run).label} has no {metric} on {where}")
    return cell
