"""Numbers by reference in a list beside a list of names: "A and B reach <A's> and <B's>, respectively"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from orchestrator.research.claims.lists import EACH, name_lists
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.quantity import Quantity

_BETWEEN = re.compile(
    r"[\s~$]*(?:\(?[a-z%]{1,12}\)?\s*)?(?:,\s*(?:and\b|or\b)?|and\b|or\b|/|;|&)\s*(?:to\s+)?[\s$(]*",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r"\b(?:relative to|compared (?:with|to)|against|than|over|to)\s+(?:the\s+)?(?:run\s+)?$"
)
"""Before a list that begins with what the others are compared with."""
_FILLER = re.compile("[\ue1ff]+")


def out_of_place(
    marks: Sequence[tuple[int, Quantity]], seen: Named
) -> Iterator[tuple[Quantity, str]]:
    """The numbers that are of another run, data set or metric than the name in their place."""
    if not EACH.search(seen.masked):
        return
    for row in _lists(marks, seen.masked):
        for kind, mentions in (
            ("run", seen.runs),
            ("data set", seen.data),
            ("metric", seen.metrics),
        ):
            names = [
                (at, items[1:] if _AGAINST.search(seen.masked[:at].lower()) else items)
                for at, items in name_lists(mentions, seen.masked)
            ]
            names = [one for one in names if len(one[1]) == len(row)]
            if not names:
                continue
            near = min(names, key=lambda one: abs(one[0] - row[0][0]))
            for (_, mark), item in zip(row, near[1], strict=True):
                own = {"run": str(mark.run), "data set": mark.data, "metric": mark.metric}[kind]
                other = "" if mark.against is None or kind != "run" else str(mark.against)
                if not {own, other} & {*item}:
                    yield mark, kind


def _lists(
    marks: Sequence[tuple[int, Quantity]], text: str
) -> Iterator[list[tuple[int, Quantity]]]:
    rows = sorted((one for one in marks if one[1].metric), key=lambda one: one[0])
    part = rows[:1]
    for one, two in pairwise(rows):
        between = _FILLER.sub("", text[one[0] + 1 : two[0]])
        if _BETWEEN.fullmatch(between):
            part.append(two)
            continue
        if len(part) > 1:
            yield part
        part = [two]
    if len(part) > 1:
        yield part
