"""An abstract as numbered sentences: what a survey may cite of a paper, since nothing else of it was read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from orchestrator.core.literature import PaperRef

_END = re.compile(r"[.!?]['\"’”)\]]*\s+")
_BEGINS = re.compile(r"['\"‘“(\[]*[^\W_a-z]")  # a capital of any script, or a digit
_SHORT = re.compile(
    r"(?<!\w)(?:[A-Z]|al|e\.g|i\.e|vs|cf|resp|approx|[Ff]igs?|[Ee]qs?|[Ss]ec|[Tt]ab|[Nn]o|Dr|Prof|St)\.\Z"
)
_ITEM = re.compile(r"(?:[:;,(]|\band|\bor)\s*\(?\d{1,2}\.\Z")


@dataclass(frozen=True, slots=True)
class Abstract:
    """A record's title as sentence 0, and the sentences of its abstract, if it is known."""

    paper: PaperRef
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, paper: PaperRef) -> Abstract:
        title = " ".join(paper.title.split())
        return cls(paper, (title, *split_sentences(" ".join(paper.abstract.split()))))

    @property
    def known(self) -> bool:
        return len(self.sentences) > 1

    def row(self) -> dict[str, Any]:
        """The record as data for a prompt."""
        numbered = {str(n): text for n, text in enumerate(self.sentences)}
        year = {"year": self.paper.year} if self.paper.year else {}
        note = {} if self.known else {"note": "no abstract is known: only its title can be cited"}
        return {"key": self.paper.key, **year, "sentences": numbered, **note}


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text on one line: divided after a stop, before a capital, a digit or ``[[``."""
    found, start = [], 0
    for match in _END.finditer(text):
        after = text[match.end() : match.end() + 8]
        begins = after.startswith("[[") or _BEGINS.match(after)
        if begins and not _short(text[start : match.start() + 1]):
            found.append(text[start : match.end()].strip())
            start = match.end()
    return tuple(filter(None, (*found, text[start:].strip())))


def _short(text: str) -> bool:
    """Whether a text ends in an abbreviation, or in the number of an enumeration: no sentence ends there."""
    return bool(
        _SHORT.search(text[-12:]) or _ITEM.search(text[-12:]) or text[:-1].strip().isdecimal()
    )
