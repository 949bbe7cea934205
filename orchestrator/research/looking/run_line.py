"""The line of an editor's reply that describes a run."""

from __future__ import annotations

import re

MOST_DESCRIBED = 300
"""Characters of a description; the rest is cut off."""

_BLOCK = re.compile(r"^<{5,9} SEARCH.*?(?:^>{5,9} REPLACE|\Z)", re.MULTILINE | re.DOTALL)
_LINE = r"^[ \t>#*_`-]*%s(?:[ \t]+[0-9]{1,3})?[ \t*_`]*:(?:[*_`]+(?=[ \t]|$))?[ \t]*(.*)$"
# Prose that starts with "Run:" is taken only where no line starts as the prompt asks.
_LINES = tuple(re.compile(_LINE % word, re.MULTILINE) for word in ("RUN", "Run"))


def described(reply: str) -> str:
    """The description after ``RUN:``, also in bold, indented or numbered (``RUN 1:``), on one line
    and at most :data:`MOST_DESCRIBED` characters; empty if there is none. Code is not looked at.
    """
    prose = _BLOCK.sub("", reply.replace("\r\n", "\n"))
    for pattern in _LINES:
        for match in pattern.finditer(prose):
            text = match[1].strip()
            end = text[len(text.rstrip("*_")) :]
            if end and text.count(end) == 1:  # it closes what stands before the word
                text = text.removesuffix(end).rstrip()
            if len(text) > MOST_DESCRIBED:
                return text[: MOST_DESCRIBED - 1].rstrip() + "…"
            if text:
                return text
    return ""
