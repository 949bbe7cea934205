"""The data sets that a text names, by their names and by other words for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.research.claims.ledger import (
    AVERAGE,
    Ledger,
)
from orchestrator.research.claims.mentions import Mention, overlaps, word_pattern

_ALL_DATA = re.compile(
    r"\b(?:both|all|every|each|either|the two|the three|the four|neither|no|any)\s+(?:of\s+)?(?:the\s+)?"
    r"(?:two\s+|three\s+|four\s+)?(?:data\s?sets?|tasks?|operations?|corpora|corpus|problems?)\b",
    re.IGNORECASE,
)


_AVERAGED = re.compile(
    r"\b(?:averag(?:ed|ing|e)|mean)\s+(?:\w+\s+){0,3}?(?:over|across|of|on)\s+(?:both|all|the|two)\s+(?:the\s+)?"
    r"(?:two\s+|three\s+|four\s+)?(?:data\s?sets?|tasks?|operations?|corpora|problems?)\b"
    r"|\b(?:data\s?set|task)[- ](?:mean|average)\b",
    re.IGNORECASE,
)


_OPERATIONS = {
    "minus": "subtraction", "plus": "addition", "div": "division", "times": "multiplication",
}  # fmt: skip


def data_mentions(text: str, ledger: Ledger) -> Iterator[Mention]:
    found = [Mention(*match.span(), "data", (AVERAGE,)) for match in _AVERAGED.finditer(text)]
    for name in sorted(ledger.datasets, key=len, reverse=True):
        for form in (name, *nicknames(name, ledger)):
            found += [
                Mention(*match.span(), "data", (name,))
                for match in word_pattern(form).finditer(text)
                if not overlaps(match.span(), found)
            ]
    for match in _ALL_DATA.finditer(text):
        if not overlaps(match.span(), found):
            found.append(Mention(*match.span(), "data", ledger.datasets, every=True))
    yield from found


def nicknames(name: str, ledger: Ledger) -> tuple[str, ...]:
    """Other forms of a data set's name: its words, and the operation of x_minus_y."""
    parts = re.split(r"[_\s-]+", name)
    found = list(ledger.nicknames.get(name, ()))
    alone = (part for part in parts if sum(part in other for other in ledger.datasets) == 1)
    found += [_OPERATIONS[part] for part in alone if part in _OPERATIONS]
    if "docs" in parts:
        found += [" ".join("documentation" if part == "docs" else part for part in parts)]
        found += [f"{parts[0]}'s documentation"]
    return tuple(found)
