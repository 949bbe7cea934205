"""The metrics that a text names: by all words of a name, or by the last one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import (
    KnownMetric,
    Ledger,
)
from orchestrator.research.claims.mentions import Mention, overlaps

_STANDARD_ERROR = re.compile(
    r"\bstandard errors?|\bwithin (?:\w+ ){0,3}errors?|\b(?:the|their|its|combined|two|these) errors\b|\berror bars?",
    re.IGNORECASE,
)


_BEFORE_TRAINING = re.compile(r"\bbefore training\b|\bat initiali[sz]ation\b", re.IGNORECASE)


_COMMON = frozenset(
    [
        "first",
        "second",
        "reached",
        "start",
        "total",
        "model",
        "value",
        "number",
        "count",
        "update",
        "every",
    ]
)


_LONGEST_WINDOW = 4  # words more than a metric's own between its first and last word


def metric_mentions(text: str, ledger: Ledger) -> Iterator[Mention]:
    own = {
        part for metric in ledger.metrics for part in words.words_of(metric.name) if len(part) > 4
    }
    text = _STANDARD_ERROR.sub(lambda match: " " * len(match[0]), text)
    text = _BEFORE_TRAINING.sub(lambda match: "initial".ljust(len(match[0])), text)
    tokens = [
        (_as_in_names(match[0], own), match.span())
        for match in re.finditer(r"[A-Za-z]+|\d+|Δ", text)
        if match[0].lower() != "times"
    ]
    whole = [one for metric in ledger.metrics for one in _windows(tokens, metric, ledger)]
    kept = [one for one in whole if not any(_covers(other, one, text) for other in whole)]
    merged: dict[tuple[int, int], list[str]] = {}
    for start, end, metric, _ in kept:
        merged.setdefault((start, end), []).append(metric)
    mentions = [Mention(*span, "metric", tuple(names)) for span, names in merged.items()]
    for place, (word, span) in enumerate(tokens):
        if not overlaps(span, mentions):
            names = _headed(word, {one for one, _ in tokens[max(0, place - 4) : place + 5]}, ledger)
            if names:
                mentions.append(Mention(*span, "metric", names, weak=True))
    if not mentions:
        for word, span in tokens:
            alone = [m.name for m in ledger.metrics if word in required_words(m, ledger)]
            if len(alone) == 1 and len(word) > 4 and word not in _COMMON:
                mentions.append(Mention(*span, "metric", (alone[0],), weak=True))
    yield from mentions


def _as_in_names(word: str, own: set[str]) -> str:
    """A word as metrics' names have it: "fluctuates" is ``fluct`` where a name says so."""
    plain = words.plain_form(word)
    longer = [part for part in own if plain.startswith(part) and plain != part]
    return longer[0] if longer and plain not in own else plain


_Window = tuple[int, int, str, frozenset[str]]


@lru_cache(4096)
def required_words(metric: KnownMetric, ledger: Ledger) -> frozenset[str]:
    """The words of a metric's name that a text must have to name it."""
    every = frozenset(words.words_of(metric.name)) - {"mean"}
    short = every - words.OPTIONAL
    others = [frozenset(words.words_of(one.name)) - {"mean"} for one in ledger.metrics]
    same = [other for other in others if other != every and other - words.OPTIONAL == short]
    return every if same or not short else short


def _windows(
    tokens: list[tuple[str, tuple[int, int]]], metric: KnownMetric, ledger: Ledger
) -> Iterator[_Window]:
    """The shortest stretches that have every word of the metric's name."""
    required = required_words(metric, ledger)
    places = [place for place, (word, _) in enumerate(tokens) if word in required]
    for at, first in enumerate(places):
        seen: set[str] = set()
        for last in places[at:]:
            if last - first > len(required) + _LONGEST_WINDOW - 1:
                break
            seen.add(tokens[last][0])
            if seen == required:
                if tokens[first][0] not in {tokens[p][0] for p in places if first < p <= last}:
                    yield tokens[first][1][0], tokens[last][1][1], metric.name, required
                break


def _covers(one: _Window, other: _Window, text: str) -> bool:
    """Whether ``one`` is a better reading of the same words: more of them, or closer together. In
    "validation and training loss" both stand; what follows "and its" is named anew.
    """
    if (
        re.search(
            r"\b(?:and|or|versus)\b(?!\s+(?:its|the|their|that)\b)", text[other[0] : other[1]]
        )
        and other[1] == one[1]
    ):
        return False
    if one[2] == other[2] or not (one[0] < other[1] and other[0] < one[1]):
        return False
    if len(one[3]) != len(other[3]):
        return len(one[3]) > len(other[3]) and other[3] <= one[3] | {""}
    return one[1] - one[0] < other[1] - other[0]


def _headed(word: str, near: set[str], ledger: Ledger) -> tuple[str, ...]:
    """The metrics whose name ends in ``word``, and with which the words near it agree."""
    fitting = []
    for metric in ledger.metrics:
        required = required_words(metric, ledger)
        own = set(words.words_of(metric.name))
        clash = any(
            near & group and own & group and not near & own & group for group in words.EXCLUSIVE
        )
        start = "initial" in own and "initial" not in near
        if word in required and _head(metric) == word and not clash and not start:
            fitting.append((len(near & required), metric))
    most = max((count for count, _ in fitting), default=0)
    best = [metric for count, metric in fitting if count == most]
    fewest = min((len(required_words(metric, ledger)) for metric in best), default=0)
    best = [metric for metric in best if len(required_words(metric, ledger)) == fewest]
    if not fitting and word == "initial":
        best = [metric for metric in ledger.metrics if "initial" in words.words_of(metric.name)]
    leading = [metric.name for metric in best if metric.headline]
    return tuple(leading or [metric.name for metric in best])


@lru_cache(4096)
def _head(metric: KnownMetric) -> str:
    """The one word by which people call a metric, if it is a usual one."""
    parts = {one for one in words.words_of(metric.name) if one != "mean"}
    return next((one for one in _HEADS if one in parts), "")


_HEADS = ("loss", "acc", "error", "step", "bits", "speed", "time", "gain", "coverage")
