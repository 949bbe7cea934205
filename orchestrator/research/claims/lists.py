"""Lists of numbers beside lists of names: "runs 1, 2 and 3 reach 0.5, 0.6 and 0.7, respectively"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from orchestrator.research.claims.mentions import Mention, Named
from orchestrator.research.claims.printed import Printed, printed_numbers

EACH = re.compile(r"\b(?:respectively|in (?:that|this) order|in turn)\b", re.IGNORECASE)
_UNIT = r"(?:\s*\+-\s*[\d.]+(?:e[-+]?\d+)?)?\s*[%)]?\s*(?:[a-z]{1,12})?\s*"
_NEXT = re.compile(
    rf"{_UNIT}(?:,\s*(?:and\b|or\b)?|and\b|or\b|/|;|&)\s*(?:to\s+)?[$(]*", re.IGNORECASE
)
_BETWEEN_NAMES = re.compile(
    r"[\s()$'\"`]*(?:,?\s*(?:and|or|&|versus|vs\.?)|,)\s*(?:(?:the|a|an|in|for|on|of|by|at|with|its|our)\s+)*[\s($'\"`]*",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?:[a-z-]+\s+){1,2}$", re.IGNORECASE)
"""Before the last word of a metric's name, which may be all of it that is found: "validation loss"."""
_ERROR = re.compile(r"\+-\s*$")
_VALUE = re.compile(r"(?<![\w.+-])(?<!\+- )\d+\.\d+")
_OTHER_FIRST = re.compile(
    r"^\W*(?:(?:as )?(?:compared|relative|in contrast) (?:with|to)|unlike|against)\s+(?:the\s+)?(?:run\s+)?$"
)
"""Before a run that the next one is compared with: "compared with the baseline, run 1 is lower (0.6 against 0.8)"."""
_Item = tuple[str, ...]
_T = TypeVar("_T", Printed, Mention)


@lru_cache(512)
def paired_names(seen: Named) -> dict[tuple[int, str], _Item]:
    """For the place of each number of a list, and for "run", "data" and "metric": the names in its place of a list
    of names as long, where the text says that each is of its own.
    """
    if not EACH.search(seen.masked):
        return _two_lists(seen)
    found: dict[tuple[int, str], _Item] = {}
    for numbers in number_lists(seen.masked):
        for kind, mentions in (("run", seen.runs), ("data", seen.data), ("metric", seen.metrics)):
            fitting = [
                one for one in name_lists(mentions, seen.masked) if len(one[1]) == len(numbers)
            ]
            if fitting:
                at = numbers[0].start
                near = min(fitting, key=lambda one: abs(one[0] - at))
                found |= {
                    (number.start, kind): item
                    for number, item in zip(numbers, near[1], strict=True)
                }
    return found


def _two_lists(seen: Named) -> dict[tuple[int, str], _Item]:
    """For "Runs 2 and 3 have 4 and 12 layers": a sentence of one list of runs and, behind it, one of as many numbers."""
    names = [*name_lists(seen.runs, seen.masked)]
    numbers = [one for one in printed_numbers(seen.masked) if not one.spelled]
    lists = [*number_lists(seen.masked)]
    if (
        len(names) != 1
        or len(lists) != 1
        or len(lists[0]) != len(numbers)
        or len(names[0][1]) != len(numbers)
    ):
        return {}
    last = max(one.end for one in seen.runs)
    if last > numbers[0].start or "between" in seen.masked[last : numbers[0].start]:
        return {}
    return {(number.start, "run"): item for number, item in zip(numbers, names[0][1], strict=True)}


def zipped_run(start: int, seen: Named) -> str | None:
    """The run of a number in "run 1 and run 2 reach 0.5 and 0.6": as many runs before as numbers."""
    runs = [n for one in seen.runs if not one.every for n in one.names]
    values = [match.start() for match in _VALUE.finditer(seen.masked)]
    before = all(one.end <= values[0] for one in seen.runs) if values else False
    if len(runs) != len(values) or len(runs) < 2 or not before or start not in values:
        return None
    if len(runs) == 2 and _OTHER_FIRST.search(seen.masked[: seen.runs[0].start].lower()):
        runs.reverse()
    return runs[values.index(start)]


def number_lists(text: str) -> Iterator[list[Printed]]:
    """Two and more numbers with commas or "and" between them; an error belongs to the number before it."""
    numbers = [one for one in printed_numbers(text) if not _ERROR.search(text[: one.start])]
    yield from _runs_of(numbers, lambda one, two: bool(_NEXT.fullmatch(text, one.end, two.start)))


def name_lists(mentions: Sequence[Mention], text: str) -> Iterator[tuple[int, list[_Item]]]:
    """Where each list of names begins, and what its places name."""
    known = [one for one in mentions if one.names and not one.every]
    for row in _runs_of(known, lambda one, two: _are_listed(one, two, text), least=1):
        items = [
            item
            for one in row
            for item in ([one.names] if one.kind == "metric" else [(name,) for name in one.names])
        ]
        yield row[0].start, items


def _are_listed(one: Mention, two: Mention, text: str) -> bool:
    between = text[one.end : two.start]
    if two.kind == "metric" and two.weak:
        between = _WORDS.sub("", between)
    return bool(_BETWEEN_NAMES.fullmatch(between))


def _runs_of(
    rows: Sequence[_T], joined: Callable[[_T, _T], bool], least: int = 2
) -> Iterator[list[_T]]:
    """The stretches of ``rows`` in which each is joined to the next."""
    if not rows:
        return
    part = [rows[0]]
    for one, two in pairwise(rows):
        if joined(one, two):
            part.append(two)
            continue
        if len(part) >= least:
            yield part
        part = [two]
    if len(part) >= least:
        yield part
