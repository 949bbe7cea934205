"""The clause of a sentence in which a number stands."""

from __future__ import annotations

import re

_CUT = re.compile(r"[;:]|,?\s+(?:while|whereas|but|although|though|which)\b|,\s+(?=[a-z])")


def clause_around(start: int, end: int, text: str) -> str:
    """The clause in which a number stands."""
    cuts = [match for match in _CUT.finditer(text) if not start <= match.start() < end]
    first = max((match.end() for match in cuts if match.end() <= start), default=0)
    last = min((match.start() for match in cuts if match.start() >= end), default=len(text))
    return text[first:last]
