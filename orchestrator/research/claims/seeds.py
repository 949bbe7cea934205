"""Statements about seeds: "in 5 of 6 seeds", "for every seed", held to the values per seed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import AVERAGE, Ledger, RunDifference, Side
from orchestrator.research.claims.mentions import NAME
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.scope import Scope

_OF = re.compile(
    r"\b(?P<part>\d+|[a-z]+)\s+(?:of|out of)\s+(?:the\s+|its\s+|our\s+|all\s+)?(?P<whole>\d+|[a-z]+)\b(?!\s*%)",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"\b(?:every|each|all)\s+(?:single\s+|one\s+)?(?:of\s+(?:the\s+|its\s+|our\s+|all\s+)?)?(?:\d+\s+|[a-z]+\s+)?(?:seeds?|outbreaks?|repetitions?|repeats?)\b",
    re.IGNORECASE,
)

_UNIT = re.compile(
    r"\s+(?:(?:milli)?seconds|secs|minutes|hours|nats|bits|points|updates|steps|layers|heads)\b|\s?(?:ms|s|h|min)\b"
)
_SAMPLE = re.compile(r"(?<![\w-])[nN]\s*=\s*$")


def seed_counts(ledger: Ledger) -> frozenset[int]:
    """How many seeds the data sets have."""
    return frozenset(count for what, count in ledger.counts if what.startswith("seeds of "))


def parts_of_seeds(text: str, ledger: Ledger) -> dict[int, tuple[int, int]]:
    """The "5 of 6" of a text whose whole is a number of seeds: both by the place of the first."""
    known = seed_counts(ledger)
    found = {}
    for match in _OF.finditer(text):
        part, whole = (words.spelled_count(match[key]) for key in ("part", "whole"))
        if part is not None and whole in known and part <= whole:
            found[match.start("part")] = (part, whole)
            found[match.start("whole")] = (whole, whole)
    return found


def is_part(
    part: int, whole: int, scope: Scope, text: str, ledger: Ledger, *, strict: bool
) -> bool:
    """Whether in that many of the seeds one of the scope's runs is above, or below, another; ``strict``:
    on the side that the text says, in a metric that it names.
    """
    if part == whole:
        return True
    if strict and not scope.metrics:
        return False
    sides = _sides(text)
    strict = strict or (bool(scope.metrics) and len(sides) == 1)
    return any(
        _counts_on(side, found, metric, part, ledger)
        for metric, found in _differences(scope, ledger, strict=strict)
        for side in (sides if strict and len(sides) == 1 else ("up", "down"))
    ) or _share(part, whole, scope, ledger, strict=strict)


def _sides(text: str) -> frozenset[Side]:
    found = [side for side, pattern in words.CHANGES.items() if pattern.search(text.lower())]
    return frozenset(found)  # type: ignore[arg-type]  # keys of CHANGES


def _counts_on(side: Side, found: RunDifference, metric: str, part: int, ledger: Ledger) -> bool:
    if side in {"better", "worse"}:
        better = ledger.better(metric, 1.0)
        if better is None:
            return part in {found.higher, found.lower}
        side = "up" if better == (side == "better") else "down"
    return part == (found.lower if side == "down" else found.higher)


def _differences(
    scope: Scope, ledger: Ledger, *, strict: bool
) -> Iterator[tuple[str, RunDifference]]:
    described = not strict and bool(scope.objects)  # a run that is compared, and not named
    subjects = scope.subjects or (() if described else scope.runs) or ledger.numbers
    objects = scope.objects or (0, *scope.subjects, *(ledger.run(n).base for n in subjects))
    metrics = scope.metrics or ledger.headline[:3] or tuple(m.name for m in ledger.metrics)
    for run, other, data, metric in product(subjects, objects, ledger.datasets, metrics):
        if run != other and (found := ledger.difference(run, other, data, metric)) is not None:
            yield metric, found


def _share(part: int, whole: int, scope: Scope, ledger: Ledger, *, strict: bool) -> bool:
    """Whether a share of the seeds that a run measured is this part of them."""
    named = scope.metrics if strict else ()
    metrics = [m.name for m in ledger.metrics if m.share and (not named or m.name in named)]
    runs = scope.runs or ledger.numbers
    for run, data, metric in product(runs, ledger.datasets, metrics):
        cell = ledger.cells.get((run, data, metric))
        whole_seeds = cell is not None and len(cell.values) == whole
        if cell is not None and whole_seeds and sum(v == 1 for v in cell.values) == part:
            return True
    return False


def every_seed_problem(
    clause: str, pairs: Sequence[tuple[int, int]], scope: Scope, ledger: Ledger
) -> str:
    """What is wrong with a clause that says something of every seed; empty if nothing."""
    match = _EVERY.search(clause)
    if match is None or not pairs or not scope.metrics or words.NEGATED.search(clause.lower()):
        return ""
    sides = [side for side, pattern in words.CHANGES.items() if pattern.search(clause.lower())]
    if len(sides) != 1:
        return ""
    metrics = scope.metrics or ledger.headline[:2]
    data = tuple(d for d in scope.data if d != AVERAGE) or ledger.datasets
    counted = False
    for (run, other), name, metric in product(pairs, data, metrics):
        found = ledger.difference(run, other, name, metric)
        if found is None or found.higher is None:
            continue
        counted = True
        better = ledger.better(metric, 1.0)
        up = sides[0] == "up" or (
            better is not None
            and (sides[0] == "better") == better
            and sides[0] in {"better", "worse"}
        )
        if (found.lower if up else found.higher) == 0:
            return ""
    return f"{match[0]!r} is not so in the values per seed" if counted else ""


def is_count_of_seeds(number: Printed, text: str, ledger: Ledger) -> bool:
    """For "40 outbreaks" and "n = 40": the number of seeds before what a study calls them, or as a sample's size."""
    sample = _SAMPLE.search(text[: number.start])
    after = re.match(rf"\s+(?:\w+\s+){{0,2}}?(\w+s\b|{NAME}+)", text[number.end :])
    measure = _UNIT.match(text, number.end)
    counted = number.value in seed_counts(ledger) and not (number.percent or number.times)
    counted = counted and not measure
    return bool(after or sample) and counted


def wrong_count_of_seeds(number: Printed, text: str, ledger: Ledger) -> bool:
    """For "twenty outbreaks, one per seed" of forty: a data set's own name after another number."""
    named = re.match(rf"\s+(?:\w+\s+)?{NAME}+", text[number.end :])
    whole = number.value == int(number.value) and not (number.percent or number.times)
    per_seed = re.search(r"\b(?:one|once) (?:for|per) (?:each |every )?seed\b", text)
    return bool(named and per_seed) and whole and number.value not in seed_counts(ledger)
