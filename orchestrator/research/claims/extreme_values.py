"""The best, highest or lowest mean over the runs, where a sentence names no run: "the best loss is 0.97", and a
range "from 0.97 to 1.05".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.research.claims import words
from orchestrator.research.claims.clause_cuts import clause_around
from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.scope import Scope

EXTREMES = (
    (words.BEST, "best"), (words.WORST, "worst"), (words.HIGHEST, "highest"), (words.LOWEST, "lowest"),
)  # fmt: skip
_RANGE = r"\b(?:rang(?:e|es|ed|ing)|span(?:s|ned|ning)?|lies?|var(?:y|ies|ied|ying)) (?:from|between)[\s$(]*"
_FROM = re.compile(rf"{_RANGE}$")
_TO = re.compile(rf"{_RANGE}[\d.]+\s?%?[\s$)]*(?:[a-z]{{1,10}}\s+)?(?:to|and)[\s$(]*$")
_ONE_RUNS = re.compile(r"\b(?:its|it|seeds?|per seed)\b")


def extreme_word(number: Printed, text: str) -> str:
    """What the words of its clause before a number say that it is of all runs; empty where they say nothing."""
    clause = clause_around(number.start, number.end, text).lower()
    before = text[: number.start].lower()
    near = before[max(0, before.rfind(clause[:20]) if clause else 0) :]
    if _ONE_RUNS.search(near):
        return ""
    if _FROM.search(before):
        return "lowest"
    if _TO.search(before):
        return "highest"
    found = [
        (match.start(), what) for pattern, what in EXTREMES for match in pattern.finditer(near)
    ]
    return max(found)[1] if found else ""


def extreme_run(dataset: str, metric: str, what: str, ledger: Ledger) -> int | None:
    """The run with this extreme mean; None where it is not known which side is the better one."""
    means = {
        n: cell.mean for n in ledger.numbers if (cell := ledger.cells.get((n, dataset, metric)))
    }
    highest = extreme_side(metric, what, ledger)
    if not means or highest is None:
        return None
    return (max if highest else min)(means, key=lambda run: means[run])


def extreme_side(metric: str, what: str, ledger: Ledger) -> bool | None:
    """Whether the extreme is the highest mean; None where it is not known which side is the better one."""
    direction = ledger.metric(metric).direction
    if what in {"highest", "lowest"}:
        return what == "highest"
    return None if direction == "none" else (direction == "higher") == (what == "best")


def extreme_facts(
    number: Printed, scope: Scope, text: str, dataset: str, metric: str, ledger: Ledger
) -> Iterator[Fact]:
    """The extreme mean at one place, for a number of a sentence that names no run."""
    one_metric = scope.metrics or len(ledger.metrics) == 1 or len(ledger.headline) == 1
    what = extreme_word(number, text) if one_metric and not scope.alone else ""
    run = extreme_run(dataset, metric, what, ledger) if what else None
    if run is not None:
        value = ledger.cells[run, dataset, metric].mean
        yield Fact(kind="extreme", value=value, run=run, dataset=dataset, metric=metric)
