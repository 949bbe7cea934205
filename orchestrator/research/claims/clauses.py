"""The parts of a sentence that each say one thing, and what each is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.mentions import Mention, Named
from orchestrator.research.claims.quantity import (
    Quantity,
)
from orchestrator.research.claims.scope import Context, Scope, scope_at

_CLAUSES = re.compile(
    r"[;:]|,?\s+(?:while|whereas|but|although|though|however|so that|because|since|where)\b|,\s+and\b"
    r"|(?<! in)(?<! for)(?<! on)(?<! of)(?<! at),?\s+which\b"
    r"|,\s+(?!(?:from|by|or|in)\b)(?=[a-z\ue100])|\s+and\s+(?=(?:it|this|that|they|there|then|on|in)\b)"
)


_CARRIES = re.compile(r"\b(?:it|its|this|there|then|both|they|their|the run)\b")


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence with its place, and the mentions and references in it; ``others``: all
    references of its sentence.
    """

    start: int
    text: str
    runs: tuple[Mention, ...]
    data: tuple[Mention, ...]
    metrics: tuple[Mention, ...]
    marks: tuple[Quantity, ...]
    places: Mapping[Quantity, int]
    others: tuple[Quantity, ...] = ()


def clauses(seen: Named, marks: Sequence[tuple[int, Quantity]]) -> Iterator[Clause]:
    at = 0
    cuts = [match.span() for match in _CLAUSES.finditer(seen.masked)]
    for first, last in [*cuts, (len(seen.masked), len(seen.masked))]:
        here = range(at, first)
        yield Clause(
            at,
            seen.masked[at:first],
            tuple(one for one in seen.runs if one.start in here),
            tuple(one for one in seen.data if one.start in here),
            tuple(one for one in seen.metrics if one.start in here),
            tuple(one for place, one in marks if place in here and one.metric),
            {one: place - at for place, one in marks if place in here},
            tuple(one for _, one in marks if one.metric),
        )
        at = last


def clause_scope(clause: Clause, seen: Named, context: Context) -> Scope:
    """The scope of a clause: its own references and mentions, else those of the sentence."""
    own = Named(clause.runs, clause.data, clause.metrics, (), seen.masked)
    end = clause.start + len(clause.text)
    mine = scope_at(end, end, own, seen.masked, Context())
    if not _CARRIES.search(seen.masked.lower()):
        context = replace(context, runs=())  # another subject, that the sentence only describes
    whole = scope_at(clause.start, clause.start, seen, seen.masked, context)
    every = scope_at(end, end, seen, seen.masked, context)
    runs = tuple(dict.fromkeys(int(n) for one in clause.runs for n in one.names))
    data = tuple(dict.fromkeys(n for one in clause.data for n in one.names))
    metrics = tuple(dict.fromkeys(n for one in clause.metrics for n in one.names))
    printed = clause.marks or (() if clause.metrics else clause.others)
    refers = tuple(dict.fromkeys(one.data for one in printed))
    if (
        len(runs) > 1 and not mine.subjects
    ):  # "the error of A … from that of B": A stands behind an "of", too
        mine = replace(mine, subjects=runs[:1], objects=runs[1:])
    subjects = mine.subjects or every.subjects
    objects = mine.objects or (every.objects if not runs else ())
    if objects and {*objects} <= {*subjects}:  # "compared with A, the error of B is higher"
        objects = tuple(n for n in every.objects if n not in subjects) or objects
    return replace(
        mine,
        runs=runs or whole.runs,
        subjects=subjects,
        objects=objects,
        alone=every.alone,
        all_metrics=every.all_metrics,
        data=data or refers or whole.data,
        metrics=tuple(dict.fromkeys(one.metric for one in printed)) or metrics or whole.metrics,
        every_run=any(one.every for one in clause.runs),
        every_data=any(one.every for one in clause.data),
    )


def places_of(scope: Scope, ledger: Ledger, *, few: bool = False) -> Iterator[tuple[str, str]]:
    """(data set, metric) that a statement may be about."""
    # without a metric's name, "better" speaks of those that have a better side
    sided = [name for name in ledger.headline if ledger.metric(name).direction != "none"]
    metrics = scope.metrics or tuple(sided or ledger.headline)[: 2 if few else None]
    for dataset, metric in product(scope.data or ledger.datasets, metrics):
        if any((n, dataset, metric) in ledger.cells for n in ledger.numbers):
            yield dataset, metric


def clause_pairs(scope: Scope, ledger: Ledger) -> list[tuple[int, int]]:
    """(run, other) that a clause may compare: its own two sides, else each run with the baseline."""
    objects = scope.objects or (0,)
    pairs = [(one, other) for one in scope.subjects for other in objects if one != other]
    if not scope.objects:
        pairs += [
            (n, ledger.run(n).base) for n in scope.subjects if ledger.run(n).base not in {0, n}
        ]
        pairs += list(zip(scope.subjects, scope.subjects[1:], strict=False)) * (
            len(scope.subjects) == 2
        )
    return pairs
