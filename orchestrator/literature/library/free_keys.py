"""Keys that no other paper has: a second paper of the same key gets a letter behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.literature import PaperRef

_LONGEST = 64
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class FreeKeys:
    """``taken`` says whether a key is in use; BibTeX does not tell capitals from small letters."""

    def __init__(self, taken: Callable[[str], bool]) -> None:
        self._taken = taken
        self._tried: Counter[str] = Counter()

    def free(self, key: str) -> str:
        """``key``, or the first of ``keya``, ``keyb``, …, ``keyaa`` that is not in use."""
        if not self._taken(key):
            return key
        base = key.lower()
        while True:
            self._tried[base] += 1
            suffix = _suffix(self._tried[base])
            longer = key[: _LONGEST - len(suffix)] + suffix
            if not self._taken(longer):
                return longer


def renamed(paper: PaperRef, key: str) -> PaperRef:
    """``paper`` under another key, in its entry of BibTeX too."""
    entry = re.sub(r"\A\s*(@\w+\s*\{)[^,{}]*", lambda match: match[1] + key, paper.bibtex)
    return replace(paper, key=key, bibtex=entry)


def _suffix(number: int) -> str:
    letters = ""
    while number:
        number, place = divmod(number - 1, len(_LETTERS))
        letters = _LETTERS[place] + letters
    return letters
