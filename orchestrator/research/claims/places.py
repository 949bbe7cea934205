"""The places in a paper's appendix that its numbers link to, by name."""

from __future__ import annotations

from orchestrator.research.claims.ledger import AVERAGE, Ledger

SETTINGS_TARGET = "settings"


def cell_target(ledger: Ledger, run: int, dataset: str, metric: str) -> str:
    """``m-3-1-4``: the run's number, the places of data set and metric in the ledger; ``m`` stands for
    the mean over the data sets.
    """
    return f"m-{run}-{_places(ledger, dataset, metric)}"


def difference_name(ledger: Ledger, run: int, against: int, dataset: str, metric: str) -> str:
    """``d-3-0-1-4``: two runs, then as for a cell."""
    return f"d-{run}-{against}-{_places(ledger, dataset, metric)}"


def difference_target(
    ledger: Ledger, run: int, against: int, dataset: str, metric: str
) -> str | None:
    """Where a difference stands, whichever side it is taken from; None if the table of differences does
    not have it.
    """
    if metric not in ledger.headline or not differs(ledger, dataset, metric):
        return None
    for pair in compared_pairs(ledger):
        if {*pair} == {run, against} and ledger.difference(*pair, dataset, metric) is not None:
            return difference_name(ledger, *pair, dataset, metric)
    return None


def compared_pairs(ledger: Ledger) -> tuple[tuple[int, int], ...]:
    """(run, other) of the table of differences: each run with its base, with the baseline, and with those earlier
    runs that the text compares it with.
    """
    known = frozenset(ledger.numbers)
    said = {run: [other for one, other in ledger.compared if one == run] for run in known}
    return tuple(
        (run.number, other)
        for run in ledger.runs
        for other in dict.fromkeys((run.base, 0, *said[run.number]))
        if run.number and other != run.number and other in known
    )


def differs(ledger: Ledger, dataset: str, metric: str) -> bool:
    """Whether a compared pair differs in a metric on one of the data sets."""
    found = (ledger.difference(*pair, dataset, metric) for pair in compared_pairs(ledger))
    return dataset in ledger.datasets and any(one is not None and one.value for one in found)


def _places(ledger: Ledger, dataset: str, metric: str) -> str:
    data = "m" if dataset == AVERAGE else str(ledger.datasets.index(dataset))
    return f"{data}-{[one.name for one in ledger.metrics].index(metric)}"
