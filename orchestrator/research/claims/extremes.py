"""Words about all runs, such as "best", held to every run."""

from __future__ import annotations

import re

from orchestrator.research.claims import words
from orchestrator.research.claims.clauses import Clause, places_of
from orchestrator.research.claims.extreme_values import EXTREMES, extreme_side
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed, is_printed, printed_numbers
from orchestrator.research.claims.scope import Scope
from orchestrator.research.claims.some_runs import runs_spoken_of

_OF_A_RUN = re.compile(r"^(?:\W+\w+)?\W+(?:runs?|models?|variants?|value|single|seeds?)\b")
_PLACES = {"second": 1, "next": 1, "third": 2, "fourth": 3, "fifth": 4}
_PLACE = re.compile(rf"\b({'|'.join(_PLACES)})[\s-]+(?:to[\s-]+)?$")
_NEARLY = re.compile(
    r"\b(?:one of|among|nearly|almost|close to|near|as good as)(?: the)?(?: \w+ and)?\s+$"
)

_SEEDS_OF = re.compile(r"\b(?:the|its|single|individual)\s+(?:\w+\s+)?seeds\b(?!\s*[,.])")
"""Of whose seeds it speaks."""
_BESIDE = re.compile(
    r"\b(?:away from|behind|off|than|above|below|short of|within \S+ of)\s+the\s+$"
)
"""Before "the best loss" that a run is compared with."""


def extreme_problems(clause: Clause, scope: Scope, seen: Named, ledger: Ledger) -> list[str]:
    last = clause.start + len(clause.text)
    sentence = re.split(r"[;:]", seen.masked[:last])[-1]  # with what stands before its commas
    before = tuple(one for one in seen.runs if one.start < last)
    for pattern, what in EXTREMES:
        match = pattern.search(clause.text)
        if match is None or "seed" in clause.text or _OF_A_RUN.match(clause.text[match.end() :]):
            continue
        if _SEEDS_OF.search(seen.masked[:last].lower()):
            continue
        ahead = clause.text[: match.start()].lower()
        if _NEARLY.search(ahead) or _BESIDE.search(ahead):
            continue
        subjects = tuple(
            int(one.names[0]) for one in clause.runs if not one.every and len(one.names) == 1
        )
        subjects = subjects or tuple(one.run for one in clause.marks[:1]) or scope.alone
        if not subjects and not clause.runs:
            subjects = _whose_number(clause, scope, what, ledger)
        own_name = any(what in name for name in scope.metrics) and (scope.runs or clause.marks)
        if len(subjects) != 1 or own_name:
            continue
        if words.NEGATED.search(clause.text.lower()) or any(
            one.kind in {"low", "high"} for one in clause.marks
        ):
            continue
        among = runs_spoken_of(sentence, last - len(sentence), before, ledger)
        if among is None or subjects[0] not in among:
            continue
        place = _PLACE.search(clause.text[: match.start()].lower())
        held = [
            _is_extreme(subjects[0], one, what, ledger, _PLACES[place[1]] if place else 0, among)
            for one in places_of(scope, ledger)
        ]
        if held and not (all(held) if scope.every_data else any(held)):
            return [f"{match[0]!r}: {ledger.run(subjects[0]).label} is not ({scope.told(ledger)})"]
    return []


def _whose_number(clause: Clause, scope: Scope, what: str, ledger: Ledger) -> tuple[int, ...]:
    """Of "the best loss is 1.10": the run that has this mean, the extreme one first; none where it is no run's."""
    numbers, places = [*printed_numbers(clause.text)], [*places_of(scope, ledger)]
    if len(numbers) != 1 or numbers[0].spelled:
        return ()
    found = [
        run
        for place in places
        for run in ledger.numbers
        if (cell := ledger.cells.get((run, *place)))
        and is_printed(numbers[0], cell.mean * _scale(numbers[0], place[1], ledger))
    ]
    found.sort(key=lambda run: not any(_is_extreme(run, place, what, ledger) for place in places))
    return tuple(found[:1])


def _scale(number: Printed, metric: str, ledger: Ledger) -> float:
    return 100.0 if number.percent and ledger.metric(metric).share else 1.0


def _is_extreme(
    run: int,
    place: tuple[str, str],
    what: str,
    ledger: Ledger,
    better: int = 0,
    among: tuple[int, ...] = (),
) -> bool:
    """Whether a run has the extreme mean at a place, of all runs or of those ``among`` them, or the one behind as many
    ``better`` ones.
    """
    dataset, metric = place
    own = ledger.cells.get((run, dataset, metric))
    if own is None:
        return False
    means = sorted(
        cell.mean
        for n in among or ledger.numbers
        if (cell := ledger.cells.get((n, dataset, metric)))
    )
    highest = extreme_side(metric, what, ledger)
    if highest is None:  # neither side is the better one; the worst is at one of the two
        return what == "best" or better > 0 or own.mean in {means[0], means[-1]}
    ordered = means[::-1] if highest else means
    return better < len(ordered) and own.mean == ordered[better]
