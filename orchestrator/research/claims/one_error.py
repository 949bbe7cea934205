"""Differences that are told in whole standard errors, in words: "differ by less than one standard error"."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.scope import Context

_COUNT = {"one": 1.0, "a": 1.0, "a single": 1.0, "two": 2.0, "three": 3.0}
_SAID = re.compile(
    r"\b(?:differ(?:s|ed|ing)?|apart|separated|difference|within|distance|gap)\b[^.;:]{0,40}?"
    r"\b(?P<bound>less than|fewer than|under|more than|over|at least|at most|within)\s+(?P<count>one|a single|a|two|three)\s+"
    r"(?:combined\s+|paired\s+)?standard\s+errors?\b(?!\s+of\s+(?:the\s+)?(?:zero|one|chance))"
)
_LESS = {"less than", "fewer than", "under", "at most", "within"}


def one_error_problems(text: str, seen: Named, ledger: Ledger, context: Context) -> Iterator[str]:
    """What is said of two runs, and of one metric, and is so with neither their own errors nor that of the pairs."""
    match = _SAID.search(text.lower())
    if match is None or re.search(r"\b(?:not|no|never|none)\b", text.lower()):
        return
    named = tuple(dict.fromkeys(int(n) for one in seen.runs if not one.every for n in one.names))
    runs = named or context.runs
    metrics = tuple(dict.fromkeys(n for one in seen.metrics if not one.weak for n in one.names))
    metrics = metrics or context.metrics
    data = tuple(dict.fromkeys(n for one in seen.data for n in one.names)) or context.data
    if len(runs) != 2 or not metrics:
        return
    less, count = match["bound"] in _LESS, _COUNT[match["count"]]
    held = [
        (ratio <= count) == less or math.isclose(ratio, count)
        for metric in metrics
        for place in data or ledger.datasets
        for ratio in _ratios((runs[0], runs[1]), place, metric, ledger)
    ]
    if held and not any(held):
        yield f"{match[0]!r} is not so of {ledger.run(runs[0]).label} and {ledger.run(runs[1]).label}"


def _ratios(pair: tuple[int, int], data: str, metric: str, ledger: Ledger) -> Iterator[float]:
    """The difference in the error of the pairs, in both errors together, and in that of each run."""
    found = ledger.difference(*pair, data, metric)
    cells = [ledger.cells.get((run, data, metric)) for run in pair]
    errors = [cell.error for cell in cells if cell is not None and cell.error]
    if found is None:
        return
    both = math.hypot(*errors) if len(errors) == 2 else None
    for error in (found.error, both, *errors):
        if error:
            yield abs(found.value) / error
