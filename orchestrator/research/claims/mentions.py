"""The runs, data sets and metrics that a text names, with the places where it does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import AVERAGE, KnownMetric, KnownRun, Ledger

_NUMBERED = re.compile(
    r"\b[Rr]un\s+(\d{1,4})(?![\d%]|\.\d|\s+(?:seeds|times|epochs|steps|updates|models)\b)"
)
_LISTED = re.compile(
    r"\b[Rr]uns\s+(\d{1,4}(?:\s*(?:,\s*and|,|and|to|or|&|-)\s*(?:run\s+)?\d{1,4}(?![\d%]|\.\d))*)"
)
_BASELINE = re.compile(
    r"\b(?:baselines?|(?:unchanged|default|original|unmodified) (?:settings?|template|code|model|run"
    r"|configuration|recipe|version)|run zero)\b",
    re.IGNORECASE,
)
_ALL_RUNS = re.compile(
    r"\b(all|every|each|both|no|none of|any|neither)\s+(?:of\s+)?(?:the\s+)?(?:other\s+|changed\s+|of them\s+"
    r"|(?:two|three|four|five|six|seven|eight|\d)\s+(?:other\s+)?)?"
    r"(?:runs?|variants?|settings?|configurations?|models?|methods?|interventions?|modifications?)\b",
    re.IGNORECASE,
)
_DESCRIBED = re.compile(
    r"\bthe (?:best|worst|other|longer|shorter|longest|shortest|fastest|slowest|raw|plain|unshifted|short|long|larger"
    r"|smaller|second|third|last) (?:run|model|variant|version|one|setting|configuration|schedule)s?\b",
    re.IGNORECASE,
)
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
NAME = "\ue100"
"""Stands for each character of a run's or data set's name in a masked text."""
_LONGEST_WINDOW = 4  # words more than a metric's own between its first and last word


@dataclass(frozen=True, slots=True)
class Mention:
    """``kind`` is "run", "data" or "metric"; ``names`` are run numbers as texts, or names. ``every``:
    the text says so of all of them; ``weak``: only the last word of a metric's name was found.
    """

    start: int
    end: int
    kind: str
    names: tuple[str, ...]
    every: bool = False
    weak: bool = False
    alias: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """All mentions of a text, by place; ``unknown`` are numbers of runs that do not exist; ``masked``
    is the text in which :data:`NAME` hides runs and data sets, so that their digits are no numbers.
    """

    runs: tuple[Mention, ...]
    data: tuple[Mention, ...]
    metrics: tuple[Mention, ...]
    unknown: tuple[int, ...]
    masked: str


def named(text: str, ledger: Ledger) -> Named:
    """The mentions in one sentence."""
    runs, unknown = _runs(text, ledger)
    data = list(_data(text, ledger))
    masked = _blanked(text, [*runs, *data])
    metrics = list(_metrics(masked, ledger))
    for one in metrics:
        if any(c.isdigit() for c in text[one.start : one.end]):
            masked = _without_name_digits(masked, one, ledger)
    return Named(
        tuple(sorted(runs, key=lambda one: one.start)),
        tuple(sorted(data, key=lambda one: one.start)),
        tuple(sorted(metrics, key=lambda one: one.start)),
        unknown,
        masked,
    )


def _blanked(text: str, mentions: Iterable[Mention]) -> str:
    for one in mentions:
        if not one.alias:
            text = text[: one.start] + NAME * (one.end - one.start) + text[one.end :]
    return text


def _without_name_digits(text: str, mention: Mention, ledger: Ledger) -> str:
    """The 99 of "step val acc 99" is part of a name."""
    digits = {part for name in mention.names for part in words.words_of(name) if part.isdigit()}
    part = text[mention.start : mention.end]
    for one in digits:
        part = re.sub(rf"(?<![\d.]){re.escape(one)}(?![\d.%])", " " * len(one), part)
    return text[: mention.start] + part + text[mention.end :]


# --- runs -----------------------------------------------------------------------------------------


def _runs(text: str, ledger: Ledger) -> tuple[list[Mention], tuple[int, ...]]:
    known, unknown = set(ledger.numbers), list[int]()
    found: list[Mention] = []
    for form, number in _run_forms(ledger):
        found += _free(_word(form).finditer(text), (str(number),), found)
    for match in _NUMBERED.finditer(text):
        number = int(match[1])
        unknown += [number] * (number not in known)
        found += _free([match], (str(number),) if number in known else (), found)
    for match in _LISTED.finditer(text):
        numbers = _listed(match[1], known)
        unknown += [number for number in numbers if number not in known]
        names = tuple(str(one) for one in numbers if one in known)
        found += _free([match], names, found)
    found += _free(_BASELINE.finditer(text), ("0",), found)
    for match in _ALL_RUNS.finditer(text):
        if re.match(r"\s+(?:with|that|which|at|under|on|of)\b", text[match.end() :]):
            found += _free([match], (), found)
            continue
        others = tuple(str(number) for number in ledger.numbers if number)
        everyone = match[1].lower() in {"all", "every", "each"} and "other" not in match[0].lower()
        names = ("0", *others) if everyone and "model" in match[0].lower() else others
        found += _free([match], names, found, every=True)
    found += _free(_DESCRIBED.finditer(text), (), found)
    for run in ledger.runs:
        for pattern in _by_setting(run, ledger):
            found += _free(pattern.finditer(text), (str(run.number),), found, alias=True)
    return found, tuple(dict.fromkeys(unknown))


def _run_forms(ledger: Ledger) -> list[tuple[str, int]]:
    """The names of runs, and the parts of two words or more that only one run's name has."""
    forms: dict[str, set[int]] = {}
    for run in ledger.runs:
        parts = re.split(r"[\s_,-]+", run.name.lower())
        whole = len(parts) if run.number else 0
        for size in range(whole, 0, -1):
            for at in range(len(parts) - size + 1):
                form = " ".join(parts[at : at + size])
                if size == whole or (size > 1 and 3 * size >= 2 * whole):
                    forms.setdefault(form, set()).add(run.number)
    forms |= {run.name.lower(): {run.number} for run in ledger.runs if run.number}
    single = [(form, min(runs)) for form, runs in forms.items() if len(runs) == 1 and len(form) > 1]
    return sorted(single, key=lambda pair: -len(pair[0]))


def _listed(said: str, known: set[int]) -> list[int]:
    """The numbers of "1, 2 and 3" and of "1 to 3"; after the first only those of known runs."""
    numbers = [int(one) for one in re.findall(r"\d+", said)]
    for first, last in re.findall(r"(\d{1,4})\s*(?:to|-)\s*(\d{1,4})", said):
        # A hostile "runs 1 to 9999" must not create thousands of runs.
        numbers += range(int(first), min(int(last), int(first) + 100))
    return [n for place, n in enumerate(dict.fromkeys(numbers)) if place == 0 or n in known]


def _by_setting(run: KnownRun, ledger: Ledger) -> Iterator[re.Pattern[str]]:
    """A run by the one setting that it changes: "weight decay 0.1", "without weight decay"."""
    for one in run.changed[:6]:
        alike = [r for r in ledger.runs if (one.name, one.value) in _changes(r)]
        if len(alike) == 1:
            name = r"[\s_-]+".join(map(re.escape, one.name.lower().split("_")))
            value = rf"{one.value:g}".replace(".", r"\.")
            yield re.compile(
                rf"\b{name}\s*(?:of|to|=|at|is|was|set to)?\s*{value}(?![\d%]|\.\d)", re.IGNORECASE
            )
            if one.value == 0:
                without = "without|no|removing|omitting|dropping|removal of|omission of|disabling"
                yield re.compile(rf"\b(?:{without})\s+(?:the\s+)?{name}\b", re.IGNORECASE)


def _changes(run: KnownRun) -> set[tuple[str, float]]:
    return {(one.name, one.value) for one in run.changed}


# --- data sets --------------------------------------------------------------------------------------


def _data(text: str, ledger: Ledger) -> Iterator[Mention]:
    found: list[Mention] = []
    for match in _AVERAGED.finditer(text):
        found.append(Mention(*match.span(), "data", (AVERAGE,)))
    for name in sorted(ledger.datasets, key=len, reverse=True):
        for form in (name, *nicknames(name, ledger)):
            found += [
                Mention(*match.span(), "data", (name,))
                for match in _word(form).finditer(text)
                if not _overlaps(match.span(), found)
            ]
    for match in _ALL_DATA.finditer(text):
        if not _overlaps(match.span(), found):
            found.append(Mention(*match.span(), "data", ledger.datasets, every=True))
    yield from found


def nicknames(name: str, ledger: Ledger) -> tuple[str, ...]:
    """Other forms of a data set's name: its words, and the operation of x_minus_y."""
    parts = re.split(r"[_\s-]+", name)
    found = list(ledger.nicknames.get(name, ()))
    for part in parts:
        if part in _OPERATIONS and sum(part in other for other in ledger.datasets) == 1:
            found.append(_OPERATIONS[part])
    if "docs" in parts:
        found += [" ".join("documentation" if part == "docs" else part for part in parts)]
        found += [f"{parts[0]}'s documentation"]
    return tuple(found)


# --- metrics ----------------------------------------------------------------------------------------


def _metrics(text: str, ledger: Ledger) -> Iterator[Mention]:
    own = {
        part for metric in ledger.metrics for part in words.words_of(metric.name) if len(part) > 4
    }
    text = _STANDARD_ERROR.sub(lambda match: " " * len(match[0]), text)
    text = _BEFORE_TRAINING.sub(lambda match: "initial".ljust(len(match[0])), text)
    tokens = [
        (_as_in_names(match[0], own), match.span())
        for match in re.finditer(r"[A-Za-z]+|\d+", text)
        if match[0].lower() != "times"
    ]
    whole = [one for metric in ledger.metrics for one in _windows(tokens, metric, ledger)]
    kept = [one for one in whole if not any(_covers(other, one, text) for other in whole)]
    merged: dict[tuple[int, int], list[str]] = {}
    for start, end, metric, _ in kept:
        merged.setdefault((start, end), []).append(metric)
    mentions = [Mention(*span, "metric", tuple(names)) for span, names in merged.items()]
    for place, (word, span) in enumerate(tokens):
        if not _overlaps(span, mentions):
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
    plain = words.canonical(word)
    longer = [part for part in own if plain.startswith(part) and plain != part]
    return longer[0] if longer and plain not in own else plain


_Window = tuple[int, int, str, frozenset[str]]


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
    "validation and training loss" both stand.
    """
    if re.search(r"\b(?:and|or|versus)\b", text[other[0] : other[1]]) and other[1] == one[1]:
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


def _head(metric: KnownMetric) -> str:
    parts = [
        one for one in words.words_of(metric.name) if one not in {"mean"} and not one.isdigit()
    ]
    for known in ("loss", "acc", "error", "step", "bits", "speed", "time", "gain", "coverage"):
        if known in parts:
            return known
    return parts[-1] if parts else ""


# --- shared -----------------------------------------------------------------------------------------


def _word(name: str) -> re.Pattern[str]:
    """A pattern for ``name`` as a whole word; blanks, underscores and hyphens are the same."""
    spaced = r"[\s_-]+".join(re.escape(part) for part in re.split(r"[\s_-]+", name) if part)
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def _free(
    matches: Iterable[re.Match[str]],
    names: tuple[str, ...],
    found: list[Mention],
    *,
    every: bool = False,
    alias: bool = False,
) -> list[Mention]:
    return [
        Mention(*match.span(), "run", names, every=every, alias=alias)
        for match in matches
        if not _overlaps(match.span(), found)
    ]


def _overlaps(span: tuple[int, int], found: Iterable[Mention]) -> bool:
    return any(one.start < span[1] and span[0] < one.end for one in found)
