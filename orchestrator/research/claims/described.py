"""Runs that a sentence describes without their name: by the change that one run alone has, or by the title of its note."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import CodeSetting, KnownRun, Ledger
from orchestrator.research.claims.mentions import Mention, Named, overlaps, word_pattern

_HIGHER = r"higher|larger|more|increased|greater|bigger|stronger|raised|added|additional|extra"
_LOWER = r"lower|smaller|less|fewer|reduced|decreased|weaker|lowered"
_PREFIXES = {"n", "num", "number", "max", "total"}
_RUN_NOUN = r"(?:model|network|transformer|variant|run|version|setting|configuration)"
_SHORTEST = 8  # characters of a note's title that no other text has by chance
_COMMON = re.compile(
    r"(?:run|experiment|baseline|results?|training|model|default)s?(?:\s+\d+)?", re.IGNORECASE
)


def with_described(text: str, seen: Named, ledger: Ledger) -> Named:
    """What a sentence names, with the one run that it describes where it names none and compares it with nothing."""
    if seen.runs or seen.unknown:
        return seen
    found: list[Mention] = []
    for number, pattern in _forms(ledger):
        found += [
            Mention(*match.span(), "run", (str(number),), alias=True)
            for match in pattern.finditer(text)
            if not overlaps(match.span(), found)
        ]
    others = any(
        words.OBJECT.search(text[max(0, one.start - 40) : one.start].lower()) for one in found
    )
    if others or len({one.names for one in found}) != 1:
        return seen
    return replace(seen, runs=tuple(sorted(found, key=lambda one: one.start)))


@lru_cache(64)
def _forms(ledger: Ledger) -> list[tuple[int, re.Pattern[str]]]:
    """Each run with the patterns of descriptions that fit it alone."""
    titles = [
        (run.number, word_pattern(run.title)) for run in ledger.runs if _is_telling(run, ledger)
    ]
    return [*titles, *((run.number, one) for run in ledger.runs for one in _changes(run, ledger))]


def _is_telling(run: KnownRun, ledger: Ledger) -> bool:
    """Whether the title of a run's note is no common word, and no other run's title has it."""
    title = run.title.lower()
    others = [one.title.lower() for one in ledger.runs if one.number != run.number]
    long = len(title) >= _SHORTEST and " " in title and not _COMMON.fullmatch(title)
    return long and not any(title in other for other in others)


def _changes(run: KnownRun, ledger: Ledger) -> Iterator[re.Pattern[str]]:
    """Patterns of the settings that this run alone changes in its direction: "with more dropout", "12-layer model"."""
    base = {one.name: one.value for one in reversed(ledger.base_settings)}
    for one in run.changed[:6]:
        before = base.get(one.name)
        if before is None or one.value == before:
            continue
        if not any(
            _alike(one, other, before) for r in ledger.runs if r is not run for other in r.changed
        ):
            side = _HIGHER if one.value > before else _LOWER
            yield re.compile(
                rf"\b(?:{side})[\s-]+(?:the\s+)?{_words(one.name)}\b(?![\s-]+(?:rates?|sizes?|loss)\b)",
                re.IGNORECASE,
            )
        if not any(
            one.value == other.value and one.name == other.name
            for r in ledger.runs
            if r is not run
            for other in r.changed
        ):
            yield re.compile(
                rf"\b{one.value:g}[\s-]{_words(one.name)}\s+{_RUN_NOUN}\b", re.IGNORECASE
            )


def _alike(one: CodeSetting, other: CodeSetting, before: float) -> bool:
    return one.name == other.name and (one.value > before) == (other.value > before)


def _words(name: str) -> str:
    """A setting's name in prose: ``n_layer`` as layer or layers."""
    parts = [part for part in re.split(r"[_\W]+", name.lower()) if part and part not in _PREFIXES]
    spoken = r"[\s_-]+".join(map(re.escape, parts)) or re.escape(name.lower())
    return spoken if spoken.endswith("s") else f"{spoken}s?"
