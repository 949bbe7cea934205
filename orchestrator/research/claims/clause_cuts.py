"""The clause of a sentence in which a number stands."""

from __future__ import annotations

import re

from orchestrator.research.claims.mentions import NAME

_CUT = re.compile(r"[;:]|,?\s+(?:while|whereas|but|although|though|which)\b|,\s+(?=[a-z])")


def clause_around(start: int, end: int, text: str) -> str:
    """The clause in which a number stands."""
    cuts = [match for match in _CUT.finditer(text) if not start <= match.start() < end]
    first = max((match.end() for match in cuts if match.end() <= start), default=0)
    last = min((match.start() for match in cuts if match.start() >= end), default=len(text))
    return text[first:last]


_PART = re.compile(
    r"[;:]|,?\s+(?:while|whereas|although|though|which)\b|,\s+(?P<and>and)\b|,\s+(?:but|yet|so)\b|\s+yet\b"
    r"|\s+and\s+(?=(?:it|its|that|this|these|those|their|they)\b)"
    r"|\s+(?P<but>but)\s+(?!(?:for|in)\b)",
    re.IGNORECASE,
)
_NAMES = re.compile(rf"[^.;]{{0,12}}{NAME}")


_ALL_BUT = re.compile(
    r"\b(?:all|no|none|every|each|any|nothing|everything)\b[^,;:]{0,20}$", re.IGNORECASE
)


def part_around(start: int, end: int, masked: str, text: str) -> tuple[int, int]:
    """The part of a sentence in which a number stands: a clause, with what stands before its commas. ``masked`` is
    ``text`` without names.
    """
    cuts = [
        match
        for match in _PART.finditer(masked)
        if not start <= match.start() < end and not _goes_on(match, masked, text)
    ]
    first = max((match.end() for match in cuts if match.end() <= start), default=0)
    last = min((match.start() for match in cuts if match.start() >= end), default=len(masked))
    return first, last


def _goes_on(match: re.Match[str], masked: str, text: str) -> bool:
    """Whether ", and" goes on with a list of names, since no number stands before it, or "but" leaves some of all out."""
    if match["but"]:
        return bool(_ALL_BUT.search(text[: match.start()]))
    before = masked[max(0, match.start() - 120) : match.start()]
    names = match["and"] and _NAMES.match(masked, match.end())
    return bool(names) and not re.search(r"\d", before)
