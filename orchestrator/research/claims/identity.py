"""The id of a printed quantity, and the place in the appendix that it links to."""

from __future__ import annotations

import re

from orchestrator.research.claims.ledger import (
    AVERAGE,
    Ledger,
)
from orchestrator.research.claims.places import SETTINGS_TARGET, cell_target, difference_target
from orchestrator.research.claims.quantity import (
    OF_TWO_METRICS,
    ONE_RUN,
    TWO_RUNS,
    Quantity,
)


def identity(one: Quantity, ledger: Ledger) -> str:
    """The id of a quantity: its kind, runs, data set and metric by number, or a setting's name."""
    if not one.metric:
        what = one.name or ("m" if one.data == AVERAGE else str(_place(one.data, ledger)))
        return f"{one.kind}-{one.run}-{what}"
    data = "m" if one.data == AVERAGE else str(_place(one.data, ledger))
    metric = [m.name for m in ledger.metrics].index(one.metric)
    against = "x" if one.against is None else str(one.against)
    names = [m.name for m in ledger.metrics]
    beside = f"-{names.index(one.with_metric)}" if one.with_metric else ""
    return f"{one.kind}-{one.run}-{against}-{data}-{metric}{beside}"


def _place(data: str, ledger: Ledger) -> int:
    return ledger.datasets.index(data) if data in ledger.datasets else 0


def target(ledger: Ledger, one: Quantity) -> str:
    """The place in the appendix that a number links to: a difference's own, or the run's value."""
    if not one.metric:
        return SETTINGS_TARGET
    if one.pair:
        found = difference_target(ledger, one.run, one.against or 0, one.data, one.metric)
        if found is not None:
            return found
    return cell_target(ledger, one.run, one.data, one.metric)


def identified(said: str, ledger: Ledger) -> Quantity | None:
    """The quantity of an id; None where there is none."""
    if other := re.fullmatch(r"(setting|settingof|seconds|seeds)-(\d+)-([\w.]+)", said):
        return _other(other[1], int(other[2]), other[3], ledger)
    match = re.fullmatch(r"([a-z]+)-(\d+)-(x|\d+)-(m|\d+)-(\d+)(?:-(\d+))?", said)
    if match is None or match[1] not in (*ONE_RUN, *TWO_RUNS, *OF_TWO_METRICS):
        return None
    if (match[1] in OF_TWO_METRICS) != bool(match[6]) or int(match[6] or 0) >= len(ledger.metrics):
        return None
    places = int(match[2]), int(match[3]) if match[3] != "x" else None, int(match[5])
    inside = match[4] == "m" or int(match[4]) < len(ledger.datasets)
    inside = inside and (places[1] is None or places[1] in ledger.numbers)
    if not inside or places[2] >= len(ledger.metrics) or places[0] not in ledger.numbers:
        return None
    data = AVERAGE if match[4] == "m" else ledger.datasets[int(match[4])]
    metric = ledger.metrics[places[2]].name
    beside = ledger.metrics[int(match[6])].name if match[6] else ""
    return Quantity(
        kind=match[1],
        run=places[0],
        against=places[1],
        data=data,
        metric=metric,
        with_metric=beside,
    )


def _other(kind: str, run: int, what: str, ledger: Ledger) -> Quantity | None:
    if run not in ledger.numbers:
        return None
    if kind != "seeds":
        return Quantity(kind=kind, run=run, name=what if kind != "seconds" else "")
    if what == "m":
        return Quantity(kind=kind, data=AVERAGE)
    inside = what.isdigit() and int(what) < len(ledger.datasets)
    return Quantity(kind=kind, data=ledger.datasets[int(what)]) if inside else None
