"""How far runs are apart: "within 0.09 of each other", "differ by less than 0.1", "no two runs are further apart than"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

from orchestrator.research.claims.bounds import Bound, is_bound_of, plain_bound
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import NAME
from orchestrator.research.claims.printed import Printed, is_printed
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    WholeReading,
    labels,
    measured_values,
    numbers_of,
    places_in,
    told_as,
)

_UNIT = (
    r"(?:[\s$)]*(?:%|percent(?:age)?\b|points?\b|nats?\b|bits?\b|ms\b|s\b|secs?\b|seconds?\b|min(?:utes?)?\b|h\b|hours?\b|steps?\b|updates?\b"
    r"|epochs?\b|iterations?\b|units?\b))*[\s$)]*"
)
_EACH_OTHER = re.compile(
    rf"{_UNIT}(?:of|from|to|between)\s+(?:each\b|one another|any other|the others?\b|the rest)"
)
_WORDS = (
    r"(?:(?:the|that|those|of|in|for|its|value|loss|losses|accuracy|mean|one|on|under|with)\s+)*"
)
_OF_A_RUN = re.compile(rf"{_UNIT}(?:of|from|to|than|away from|off)\s+{_WORDS}(?={NAME})")
_FROM_A_RUN = re.compile(rf"\b(?:from|to|than|of|with)\s+{_WORDS}$")
_APART_AFTER = re.compile(rf"{_UNIT}(?:\w+\s+)?(?:apart|away|off)\b")
_WITHIN = re.compile(r"\bwithin[\s$(]*(?:(?:just|only|about|roughly|a)\s+)?[\s$(]*$")
_WINDOW = re.compile(
    r"\bwithin\s+an?\s+(?:\w+\s+)?(?:window|band|range|interval|margin|corridor|span)\s+of[\s$(]*(?:(?:just|only)\s+)?[\s$(]*$"
)
_AGREES = re.compile(
    r"\b(?:agree\w*|match\w*|coincid\w*|equal|same|alike|identical|similar|close|comparable|lies?|stays?|remains?|falls?|are|is|end|ends|keeps?)\b[^,;:()]*$"
)
_DIFFERS = re.compile(
    r"\b(?:differ(?:s|ed|ing)?|deviat(?:e|es|ed|ing)|separat(?:e|es|ed|ing)|disagree\w*|diverge\w*|var(?:y|ies|ied|ying))\b[^;:]*\bby\b[^;:]{0,24}$"
)
_APART_BEFORE = re.compile(r"\bapart\s+(?:than|by)\b[^;:]{0,24}$")
_FURTHER = re.compile(r"\b(?P<far>(?:further|farther)|closer)\b[^;:]{0,60}\bthan[\s$(]*$")
_GAP = re.compile(
    r"\b(?:spreads?|range|gaps?|(?<!standard )differences?|distances?|variation|discrepanc(?:y|ies))\b(?P<of>[^;:]*)$"
)
_WHOLE = re.compile(r"\b(?:largest|maximum|maximal|greatest|biggest|widest|spreads?|range)\b")
_SMALLEST = re.compile(
    r"\b(?:smallest|minimum|minimal|least)\s+(?:\w+\s+)?(?:gap|difference|distance)\b"
)
_CHANGES = re.compile(r"\b(?:rang(?:es|ed|ing)|from)\b")
_DENIED = re.compile(
    r"\b(?:no|none|neither|nor|never|not|cannot|nowhere)\b[^,;:()]*$|n't\b[^,;:()]*$"
)
_SEEDS = re.compile(r"\b(?:seeds?|repetitions?|repeats)\b")
_ERRORS = re.compile(
    r"[\s-]*(?:combined\s+|standard\s+|\w+\s+)?(?:errors?|deviations?|sigmas?|SDs?|SEs?)\b"
)
_BETWEEN_RUNS = re.compile(
    r"\b(?:no|any|every|all) (?:\w+ ){0,2}(?:two|pairs?|runs?|models|variants|of)\b|\b(?:the|our|between|across|over|of|among) (?:\w+ )?(?:runs|models|variants|settings|configurations)\b"
)
_ERRORS_AHEAD = re.compile(r"\b(?:standard (?:errors?|deviations?)|std|uncertaint(?:y|ies))\b")
_OPPOSITE: dict[Bound, Bound] = {"above": "at most", "below": "at least", "at least": "below", "at most": "above"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Distance:
    """``pairs`` of runs whose distance is bounded; of one run alone, that of its seeds, or of two metrics."""

    bound: Bound
    pairs: tuple[tuple[int, int], ...]
    of: str  # what a reader is told
    whole: bool = False  # the largest of the distances is meant
    seeds: bool = False
    smallest: bool = False


def distance_reading(part: SentencePart, masked: str, ledger: Ledger) -> WholeReading | None:
    """Whether runs are as far apart as a number of a sentence says; None where it says nothing of the kind."""
    said = _said(part, masked, ledger)
    if said is None or not part.scope.metrics:
        return None
    read = told_as(_in_words(said), part.scope, ledger)
    held = [
        all(held)
        for metric, data in places_in(part.scope, ledger)
        if (held := [*_held(part, said, metric, data, ledger)])
    ]
    if not held or (not said.bound and not any(held)):
        return None
    return WholeReading(any(held), read)


def _in_words(said: _Distance) -> str:
    what = "smallest difference" if said.smallest else "difference"
    return f"{what} between {said.of}: {said.bound or 'the largest one'}"


def _said(part: SentencePart, masked: str, ledger: Ledger) -> _Distance | None:
    """What the words around a number say of a distance."""
    number = part.number
    if number.times or number.spelled or _ERRORS.match(part.after):
        return None
    bound, whole = _bound(part, masked)
    if bound is None or _ERRORS_AHEAD.search(part.before):
        return None
    smallest = bool(_SMALLEST.search(part.before))
    if (
        _GAP.search(part.before)
        and not _APART_AFTER.match(masked, part.number.end)
        and not part.runs
        and not _BETWEEN_RUNS.search(part.before + part.after)
    ):
        return None  # a gap between metrics
    if (pairs := _pairs(part, masked, ledger)) is not None:
        return _Distance(bound, pairs[0], pairs[1], whole=whole, smallest=smallest)
    alone = part.named or part.scope.runs
    if _SEEDS.search(part.before + part.after) and alone:
        own = tuple((run, run) for run in alone)
        return _Distance(bound, own, f"the seeds of {labels(alone, ledger)}", seeds=True)
    return None


def _bound(part: SentencePart, masked: str) -> tuple[Bound | None, bool]:
    """The bound that is said of a distance; empty for a distance itself, None where no distance is spoken of."""
    after = masked[part.number.end :]
    plain, _ = plain_bound(part.before)
    whole = bool(_WHOLE.search(part.before))
    if _WINDOW.search(part.before):
        return "up to", True
    if _WITHIN.search(part.before):
        near = _EACH_OTHER.match(after) or _OF_A_RUN.match(after) or _AGREES.search(part.before)
        apart = re.search(r"\bnot\s+(?:\w+\s+)?within\b[^,;:]*$", part.before)
        return (("above" if apart else "up to") if near else None), whole
    further = _FURTHER.search(part.before)
    if further and (further["far"] != "closer") == bool(
        re.search(r"\b(?:apart|from|away)\b", further[0])
    ):
        return _turned("above" if further["far"] != "closer" else "below", part), whole
    apart = _APART_AFTER.match(after) or _APART_BEFORE.search(part.before)
    gap = _GAP.search(part.before)
    told = apart or _DIFFERS.search(part.before) or (gap and not _CHANGES.search(gap["of"]))
    away = _OF_A_RUN.match(after) and re.search(r"\baway|\boff\b", after[:24])
    away = away or _EACH_OTHER.match(after)
    if not (told or away):
        return None, False
    if plain in {"above", "below", "at least", "at most", "up to"}:
        return _turned(plain, part), whole
    return ("" if whole and not plain and gap else None), whole


def _turned(bound: Bound, part: SentencePart) -> Bound:
    """A bound as it is meant where it is denied: "no two runs are more than 0.1 apart"."""
    denied = bound in {"above", "below"} and _DENIED.search(part.before)
    return _OPPOSITE[bound] if denied else bound


def _pairs(
    part: SentencePart, masked: str, ledger: Ledger
) -> tuple[tuple[tuple[int, int], ...], str] | None:
    """The pairs of runs that are compared, and how they are told; None where one run alone is named."""
    every = any(one.every for one in part.runs) or _BETWEEN_RUNS.search(part.before + part.after)
    others = _objects(part, masked)
    named = tuple(n for n in part.named if n not in others)
    if others:
        subjects = named or tuple(
            n for n in (ledger.numbers if every else part.scope.runs) if n not in others
        )
        found = tuple((one, other) for one, other in product(subjects, others) if one != other)
        return (
            (found, f"{labels(subjects, ledger)} and {labels(others, ledger)}") if found else None
        )
    runs = named or (ledger.numbers if every or not part.scope.runs else part.scope.runs)
    if len(runs) < 2:
        return None
    return tuple(combinations(runs, 2)), f"any two of {labels(runs, ledger)}"


def _objects(part: SentencePart, masked: str) -> tuple[int, ...]:
    """The runs that others are compared with: "within 0.1 of the baseline", "differs from it by"."""
    number, single = part.number, [one for one in part.runs if not one.every and one.names]
    if (match := _OF_A_RUN.match(masked, number.end)) is not None:
        found = [one for one in single if one.start == match.end()]
        if found:
            return numbers_of(found)
    before = [one for one in single if one.end <= number.start]
    last = before[-1:] if len(part.runs) > 1 or not part.named else []
    return numbers_of(
        one
        for one in last
        if re.search(
            r"\b(?:from|than|to)\b",
            (ahead := masked[max(part.first, one.start - 40) : one.start].lower()),
        )
        and _FROM_A_RUN.search(ahead)
    )


def _held(
    part: SentencePart, said: _Distance, metric: str, data: tuple[str, ...], ledger: Ledger
) -> Iterator[bool]:
    """For each data set: whether the distances of a metric are as they are said to be."""
    number = replace(part.number, value=abs(part.number.value))
    for one in data:
        apart = [*_distances(number, said, metric, one, part.text, ledger)]
        if not apart:
            continue
        if said.whole or said.seeds:
            apart = [max(apart, key=lambda row: row[0])]
        elif said.smallest:
            apart = [min(apart, key=lambda row: row[0])]
        yield all(any(_fits(number, value, said.bound) for value in row) for row in apart)


def _fits(number: Printed, value: float, bound: Bound) -> bool:
    if not bound:
        return is_printed(replace(number, bound=""), value)
    half = min(number.step * (0.5 + 1e-6), 0.05 * number.value)
    rounds = bound == "up to" and abs(value - number.value) <= half
    return rounds or is_bound_of(value, number.value, number.step, bound, far=True)


def _distances(
    number: Printed, said: _Distance, metric: str, data: str, text: str, ledger: Ledger
) -> Iterator[tuple[float, ...]]:
    """How far each pair is apart: in the metric, and for a percentage also as a share of the larger value."""
    for one, other in said.pairs:
        mine, theirs = (
            measured_values(number, run, data, metric, text, ledger, seeds=said.seeds)
            for run in (one, other)
        )
        if said.seeds and len(mine) > 1:
            mine, theirs = (min(mine),), (max(mine),)
        if len(mine) != 1 or len(theirs) != 1:
            continue
        apart, size = abs(mine[0] - theirs[0]), max(abs(mine[0]), abs(theirs[0]))
        share = 100 * apart / size if size else 0.0
        if not number.percent or number.points:
            yield (apart,)
        else:
            yield (apart, share) if ledger.metric(metric).share else (share,)
