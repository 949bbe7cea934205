"""The line of an edit's reply that says what its run does."""

from __future__ import annotations

import re

_LONGEST = 300  # characters
_LINE = re.compile(
    r"^[ \t>*_#-]*RUN(?:[ \t]+\d{1,2})?[ \t]*:[ \t*_]*(?P<said>[^\n]*[^\s*_][^\n]*)$",
    re.MULTILINE | re.IGNORECASE,
)


def described(reply: str) -> str:
    """What follows ``RUN:`` in the first line that has it, cut to 300 characters; empty if none."""
    found = _LINE.search(reply)
    said = found["said"].strip(" \t*_") if found else ""
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
