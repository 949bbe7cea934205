"""The runs that a text names: by number, by name, by what they change, all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from orchestrator.research.claims.ledger import (
    KnownRun,
    Ledger,
)
from orchestrator.research.claims.mentions import Mention, free, word_pattern

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
    r"(?:runs?|variants?|settings?|configurations?|models?|methods?|interventions?|modifications?|changes?)\b",
    re.IGNORECASE,
)


_OF_SOME = re.compile(
    r"\s+(?:with|that|which|at|under|on|of)\b"
    r"|\s+(?:trained|made)\b(?=[^,;.]*\b(?:has|have|is|are|was|were|reach\w*|gets?|ends?|lies?|stays?)\b)"
)
"""Behind "all runs": it is said of some of them."""


_DESCRIBED = re.compile(
    r"\bthe (?:best|worst|other|longer|shorter|longest|shortest|fastest|slowest|raw|plain|unshifted|short|long|larger"
    r"|smaller|second|third|last) (?:run|model|variant|version|one|setting|configuration|schedule)s?\b",
    re.IGNORECASE,
)


def run_mentions(text: str, ledger: Ledger) -> tuple[list[Mention], tuple[int, ...]]:
    known, unknown = set(ledger.numbers), list[int]()
    found: list[Mention] = []
    for form, number in _run_forms(ledger):
        found += free(word_pattern(form).finditer(text), (str(number),), found)
    for match in _NUMBERED.finditer(text):
        number = int(match[1])
        unknown += [number] * (number not in known)
        found += free([match], (str(number),) if number in known else (), found)
    for match in _LISTED.finditer(text):
        numbers = _listed(match[1], known)
        unknown += [number for number in numbers if number not in known]
        names = tuple(str(one) for one in numbers if one in known)
        found += free([match], names, found)
    found += free(_BASELINE.finditer(text), ("0",), found)
    for match in _ALL_RUNS.finditer(text):
        made = re.match(
            r"\s+(?:that|which) (?:we|were)(?: (?:tried|made|ran|run|tested))\b",
            text[match.end() :],
        )
        if not made and _OF_SOME.match(text, match.end()):
            found += free([match], (), found)
            continue
        others = tuple(str(number) for number in ledger.numbers if number)
        everyone = match[1].lower() in {"all", "every", "each"} and "other" not in match[0].lower()
        names = ("0", *others) if everyone and "model" in match[0].lower() else others
        found += free([match], names, found, every=True)
    found += free(_DESCRIBED.finditer(text), (), found)
    for run, pattern in _setting_forms(ledger):
        found += free(pattern.finditer(text), (str(run.number),), found, alias=True)
    return found, tuple(dict.fromkeys(unknown))


@lru_cache(64)
def _run_forms(ledger: Ledger) -> list[tuple[str, int]]:
    """The names of runs, and what is left of one without its number, or most of a long one, where no
    other run's name has it.
    """
    forms: dict[str, set[int]] = {}
    for run in ledger.runs:
        parts = re.split(r"[\s_,-]+", run.name.lower())
        whole = len(parts) if run.number else 0
        for size in range(whole, 0, -1):
            for at in range(len(parts) - size + 1):
                form = " ".join(parts[at : at + size])
                numbered = parts[0].isdigit() and at == 1 and size == whole - 1 > 1
                if size == whole or numbered or (size > 2 and 3 * size >= 2 * whole):
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


@lru_cache(64)
def _setting_forms(ledger: Ledger) -> list[tuple[KnownRun, re.Pattern[str]]]:
    """Each run with the patterns of the settings that only it has."""
    return [(run, pattern) for run in ledger.runs for pattern in _by_setting(run, ledger)]


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
