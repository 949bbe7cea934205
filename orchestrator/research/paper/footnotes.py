"""Footnotes of a source: read as sentences of their own, after the one that they hang on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.research.paper.latex import closing
from orchestrator.research.paper.unprinted import COMMAND_OPTIONS

_NOTE = re.compile(
    rf"\\(?:footnote|footnotetext|tablefootnote|sidenote|marginpar|thanks)(?![A-Za-z]){COMMAND_OPTIONS}\s*(?=\{{)"
)
_MOST = 500  # notes of a part


@dataclass(frozen=True, slots=True)
class Footnote:
    """``start`` is the place of its command, ``first`` to ``last`` its text."""

    start: int
    first: int
    last: int


def without_footnotes(source: str, start: int, end: int) -> tuple[str, list[Footnote]]:
    """``source`` with blanks in place of the footnotes between two places, and where they are."""
    found, at = list[Footnote](), start
    parts, done = [source[:start]], start
    while len(found) < _MOST and (match := _NOTE.search(source, at, end)):
        close = closing(source, match.end())
        if close >= end or source[close : close + 1] != "}":
            break
        found.append(Footnote(match.start(), match.end() + 1, close))
        parts += [source[done : match.start()], " " * (close + 1 - match.start())]
        at = done = close + 1
    return "".join([*parts, source[done:]]), found
