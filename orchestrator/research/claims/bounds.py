"""Words before a number that make it a bound or a rough form: "about", "below", "at least"."""

from __future__ import annotations

import re
from typing import Literal

from orchestrator.research.claims.mentions import NAME

Bound = Literal["", "about", "at least", "at most", "above", "below", "up to"]
"""``above`` and ``below`` leave the number itself out; ``up to`` is the largest value, rounded."""

_ABOUT = re.compile(
    r"\b(?:about|around|approximately|roughly|nearly|almost|some|close to|approx\.?|circa|near)\b|~|≈"
)
_ABOVE = re.compile(
    r"\b(?:more than|over|above|exceed(?:s|ed|ing)?|surpass(?:es|ed|ing)?|(?:greater|higher|larger|longer|better) than|in excess of"
    r"|upwards of|beyond)\b|>"
)
_BELOW = re.compile(
    r"\b(?:(?:less|fewer|smaller|lower|shorter) than|under|below|beneath|short of)\b|<"
)
_AT_LEAST = re.compile(r"\b(?:at least|no (?:less|fewer) than|a minimum of)\b|≥")
_AT_MOST = re.compile(r"\b(?:at most|(?:no|not) more than|a maximum of)\b|≤")
_UP_TO = re.compile(r"\b(?:up to|within)\b")
_NEGATED = re.compile(
    r"\b(?:not|never|nor|neither|without|no|nowhere|n't)\s+(?:(?:to|go|goes|rise|rises|fall|falls|drop|drops|get|gets|run|runs)\s+)?$|n't\s+(?:go |rise |fall |drop )?$"
)
_OPPOSITE: dict[Bound, Bound] = {"above": "at most", "below": "at least"}
_BETWEEN = re.compile(
    r"(?:[\s$(]|\ba\b|\ban? (?:[\w-]+ ){1,5}of\b|\bthe (?:mark|value|level|threshold|bar|limit) of\b)*"
)
_NEAR = 64  # characters before a number in which its bound stands
_LEFT = 0.1  # of the last digit: what rounding may add to a bound that includes its number
_OF_A_RUN = re.compile(
    rf"\s*(?:%|nats?|bits?|points?|s|seconds?|steps?|updates?)?\s*,?\s*\(?\s*(?:(?:in|of|for|by|with|under|at|on)\s+)?(?:that of\s+)?(?:the\s+)?{NAME}"
)


def bound_of(before: str) -> Bound:
    """What the words just before a number say of it."""
    name, ahead = plain_bound(before)
    denied = name in _OPPOSITE and _NEGATED.search(ahead)
    return _OPPOSITE[name] if denied else name


_OR = re.compile(
    r"[\s$)]*(?:(?:%|percent|(?:milli)?seconds?|s|ms|minutes?|h|hours?|nats?|bits?|points?|days?|people)[\s$)]*){0,2}"
    r"or\s+(?:(?P<less>less|fewer|lower|smaller|below|under|shorter)|more|higher|larger|greater|above|longer)\b"
    r"(?!\s+(?:than|or)\b)"
)


def bound_behind(after: str) -> Bound:
    """What the words right behind a number say of it: "2500 s or less"."""
    match = _OR.match(after[:60].lower())
    return "" if match is None else ("at most" if match["less"] else "at least")


def plain_bound(before: str) -> tuple[Bound, str]:
    """What the words just before a number say of it, whether or not others deny it, and the text before these words."""
    near = before[-_NEAR:].lower()
    for name, pattern in _WORDS:
        for match in pattern.finditer(near):
            if _BETWEEN.fullmatch(near, match.end()):
                return name, near[: match.start()]
    return "", near


_WORDS: tuple[tuple[Bound, re.Pattern[str]], ...] = (
    ("at most", _AT_MOST), ("at least", _AT_LEAST), ("up to", _UP_TO), ("below", _BELOW), ("above", _ABOVE), ("about", _ABOUT),
)  # fmt: skip
"""In this order, since "no more than" ends in "more than"."""


def is_another_runs(after: str) -> bool:
    """Whether a run's name follows a number: "lower than 1.05 in run 2" may print that run's own value."""
    return bool(_OF_A_RUN.match(after))


def is_bound_of(value: float, said: float, step: float, bound: Bound, *, far: bool) -> bool:
    """Whether ``value`` is on the side of the bound ``said``; ``far``: anywhere on it, and not only near."""
    left = step * _LEFT
    if bound in {"at least", "above"}:
        inside = value > said + 1e-9 * abs(said) if bound == "above" else value >= said - left
        return inside and (far or value <= said + 0.35 * abs(said) + 10 * step)
    if bound in {"at most", "below", "up to"}:
        inside = value < said - 1e-9 * abs(said) if bound == "below" else value <= said + left
        return inside and (far or value >= said - 0.35 * abs(said) - 10 * step)
    return False
