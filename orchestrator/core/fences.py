"""The fenced code blocks of Markdown, as models write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^[ \t]{0,8}(`{3,}|~{3,})([^\n]*)\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fence:
    """A block's text, as ``text[start:end]``, without its two lines of marks. ``closed`` is false
    where the next block or the end of the text came first.
    """

    start: int
    end: int
    closed: bool


def fences(text: str) -> tuple[Fence, ...]:
    """The blocks of ``text`` in order, in linear time. A block ends at a bare line of as many marks
    of its kind or more; one with a word after the marks begins the next block.
    """
    found: list[Fence] = []
    mark, start = "", 0
    for line in _LINE.finditer(text):
        marks, word = line[1], line[2].strip()
        if "`" in word and marks[0] == "`":
            continue  # marks and text on one line: code within prose
        if not mark:
            mark, start = marks, line.end()
        elif marks[0] == mark[0] and len(marks) >= len(mark):
            found.append(Fence(start, line.start(), closed=not word))
            mark, start = (marks, line.end()) if word else ("", 0)
    if mark:
        found.append(Fence(start, len(text), closed=False))
    return tuple(found)
