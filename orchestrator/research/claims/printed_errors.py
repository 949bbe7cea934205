"""What a paper says that it prints after a ±: standard errors, or standard deviations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Errors = Literal["", "too", "only"]
"""Whether a paper prints standard deviations after a ±: it says nothing of them, names them, or says that all are."""

DEVIATION = re.compile(
    r"\+-\s*(?:\d?\s*|one\s+)sigma\b|\b(?:1|one)[\s-]+sigma\b|\bstandard deviations?\b|\bstd(?:ev|s)?\b\.?|\bstd\.? ?devs?\b|\bs\.d\.|\bSDs?\b",
    re.IGNORECASE,
)
_STANDARD_ERROR = re.compile(
    r"\bstandard errors?\b|\bstderr|\bs\.e\.(?:m\.)?|\bSEM?\b", re.IGNORECASE
)


_AFTER_MEANS = re.compile(
    r"\+-|\berror\s?bars?\b|\buncertaint|\bintervals?\b|\bmeans?\s+(?:and|with|plus)\s+(?:their\s+|the\s+|one\s+)?\b(?:standard|std|sd)",
    re.IGNORECASE,
)
_VALUE = re.compile(r"\d\s*%?\s*\+-\s*\d*\.\d")
"""A sentence that prints a value says of no other how it is printed."""
_OF_NOISE = re.compile(
    r"\b(?:noise|perturb\w*|drawn|draws?|sampled|gaussian|normal|prior|initiali[sz]\w*|jitter\w*|weights|distributed)\b",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\+-|\berror\s?bars?\b|\buncertaint|\bseeds?\b|\b(?:report|give|show|print|list|denote|indicate|quote|state|shad|bracket|parenthes)\w*",
    re.IGNORECASE,
)


def errors_said(texts: Iterable[str]) -> Errors:
    """What a paper, of these sentences, says that it prints after a ±."""
    named, after, standard = False, False, False
    for text in texts:
        standard |= bool(_STANDARD_ERROR.search(text))
        if says_deviation(text) and not (_OF_NOISE.search(text) and not _REPORTED.search(text)):
            named = True
            after |= bool(_AFTER_MEANS.search(text)) and not _VALUE.search(text)
    return ("only" if after and not standard else "too") if named else ""


def either(one: Errors, other: Errors) -> Errors:
    """What two parts of a paper say together."""
    return one or other if "" in (one, other) or one == other else "too"


def says_deviation(text: str) -> bool:
    return bool(DEVIATION.search(text))


def only_deviations(text: str) -> bool:
    """Whether the errors of a text are said to be deviations, and none to be a standard error."""
    return says_deviation(text) and not _STANDARD_ERROR.search(text)
