"""A place of a text that names a run, a data set or a metric."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

NAME = "\ue100"
"""Stands for each character of a run's or data set's name in a masked text."""


@dataclass(frozen=True, slots=True)
class Mention:
    """``kind`` is "run", "data" or "metric"; ``names`` are run numbers as texts, or names. ``every``:
    the text says so of all of them; ``weak``: only the last word of a metric's name was found.
    """

    start: int
    end: int
    kind: str
    names: tuple[str, ...]
    every: bool = False
    weak: bool = False
    alias: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """All mentions of a text, by place; ``unknown`` are numbers of runs that do not exist; ``masked``
    is the text in which :data:`NAME` hides runs and data sets, so that their digits are no numbers.
    """

    runs: tuple[Mention, ...]
    data: tuple[Mention, ...]
    metrics: tuple[Mention, ...]
    unknown: tuple[int, ...]
    masked: str


@lru_cache(4096)
def word_pattern(name: str) -> re.Pattern[str]:
    """A pattern for ``name`` as a whole word; blanks, underscores and hyphens are the same."""
    spaced = r"[\s_-]+".join(re.escape(part) for part in re.split(r"[\s_-]+", name) if part)
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def free(
    matches: Iterable[re.Match[str]],
    names: tuple[str, ...],
    found: list[Mention],
    *,
    every: bool = False,
    alias: bool = False,
) -> list[Mention]:
    return [
        Mention(*match.span(), "run", names, every=every, alias=alias)
        for match in matches
        if not overlaps(match.span(), found)
    ]


def overlaps(span: tuple[int, int], found: Iterable[Mention]) -> bool:
    return any(one.start < span[1] and span[0] < one.end for one in found)
