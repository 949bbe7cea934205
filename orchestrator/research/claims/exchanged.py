"""Changes "from A to B" whose typed numbers stand the wrong way round: A is the run's own and B the other's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product

from orchestrator.research.claims.durations import in_unit
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.scope import Context, Scope, scope_of

_FROM = re.compile(r"\bfrom[\s$(]*(?:about |roughly |~|≈|the [\w']+ )?[\s$(]*$")
_RANGE = re.compile(
    r"\b(?:rang\w+|span\w*|var(?:y|ies|ied|ying)|spread\w*)\s+(?:\w+\s+){0,2}from[\s$(]*(?:about )?[\s$(]*$"
)
_TO = re.compile(r"^[^;:]{0,60}\bto[\s$(]*(?:about |roughly |~|≈|just )?[\s$(]*$")


def exchange_problems(
    numbers: Sequence[Printed], seen: Named, ledger: Ledger, context: Context
) -> list[str]:
    """Problems of each "from A to B" of one sentence, where a run that it names has A and the one before it has B."""
    problems = []
    for one, two in pairwise(numbers):
        between = seen.masked[one.end : two.start].lower()
        if _RANGE.search(seen.masked[: one.start].lower()):
            continue
        if not _FROM.search(seen.masked[: one.start].lower()) or not _TO.search(between):
            continue
        scope = scope_of(two, seen, seen.masked, context)
        if (own := _subject(scope)) is None:
            continue
        others = tuple(n for n in (*scope.objects, 0, ledger.run(own).base) if n != own)
        places = [*_places(scope, ledger)]
        right = _is_change(one, two, others, (own,), places, seen.masked, ledger)
        if not right and _is_change(one, two, (own,), others, places, seen.masked, ledger):
            problems.append(
                f"'from {one.text} to {two.text}' is the other way round: {two.text} is not of {ledger.run(own).label}"
            )
    return problems


def _subject(scope: Scope) -> int | None:
    """The one run that a change is of."""
    alone = [n for n in scope.alone if n]  # also where it stands behind an "of"
    own = alone if len(alone) == 1 else [n for n in scope.subjects if n]
    return own[0] if len(own) == 1 else None


def _places(scope: Scope, ledger: Ledger) -> Iterator[tuple[str, str]]:
    metrics = scope.metrics or tuple(one.name for one in ledger.metrics)
    yield from product(scope.data or ledger.datasets, metrics)


def _is_change(
    one: Printed,
    two: Printed,
    before: Iterable[int],
    after: Iterable[int],
    places: Sequence[tuple[str, str]],
    text: str,
    ledger: Ledger,
) -> bool:
    """Whether at some place the first number is the mean of a run of ``before`` and the second of one of ``after``."""
    return any(
        _is_mean(one, run, place, text, ledger) and _is_mean(two, other, place, text, ledger)
        for run, other, place in product(before, after, places)
        if run != other
    )


def _is_mean(number: Printed, run: int, place: tuple[str, str], text: str, ledger: Ledger) -> bool:
    cell = ledger.cells.get((run, *place))
    if cell is None:
        return False
    metric = ledger.metric(place[1])
    value = in_unit(number, cell.mean, text, metric, ledger.words)
    shares = (100.0,) if number.percent and metric.share else (1.0,)
    return value is not None and any(
        is_printed(replace(number, bound=""), value * share) for share in shares
    )
