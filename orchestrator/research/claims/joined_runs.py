"""Whether the runs that a part of a sentence names are one list, before its number or behind it."""

from __future__ import annotations

import re
from itertools import pairwise

from orchestrator.research.claims.mentions import NAME, Mention
from orchestrator.research.claims.whole_readings import SentencePart

_BY = re.compile(
    r"^\W*(?:(?:is|are|was|were)\s+)?(?:reached|attained|achieved|exceeded|surpassed)\s+by\s+$"
)
_BETWEEN = re.compile(
    rf"[\s,]*(?:(?:and|or|nor|the|both|all|of|that|those|in|for|as well as|{NAME})[\s,]*)*"
)


def are_joined(single: list[Mention], before: str, first: int) -> bool:
    """Whether all runs of a part stand in one list before its number."""
    if any(one.start - first > len(before) for one in single):
        return False
    between = (before[one.end - first : two.start - first] for one, two in pairwise(single))
    return all(_BETWEEN.fullmatch(text) for text in between)


def is_reached_by(part: SentencePart, single: list[Mention]) -> bool:
    """Whether all runs of a part follow its number: "0.9 is reached by runs 1, 2 and 3"."""
    last = part.number.end
    if any(one.start < last for one in single):
        return False
    return bool(_BY.search(part.text[last : single[0].start].lower())) and all(
        _BETWEEN.fullmatch(part.text[one.end : two.start]) for one, two in pairwise(single)
    )
