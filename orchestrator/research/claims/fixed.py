"""Numbers that are no results: settings by name, counts, years, and those that papers print as such."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from orchestrator.research.claims import words
from orchestrator.research.claims.build import DECLARED, PLANNED
from orchestrator.research.claims.derived import OF_HUNDRED, PART, SPLIT, are_shares, derived_source
from orchestrator.research.claims.ledger import (
    CodeSetting,
    Ledger,
)
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.set_by import setting_holder
from orchestrator.research.claims.ties import around, fits_words, named_before, stands_before

_CONVENTIONS = re.compile(
    r"confidence|significance level|credible|interval|quantile|percentile|nominal", re.IGNORECASE
)


_NOUN = re.compile(
    r"\s+(?:random |different |independent |repeated |attention |transformer )?(seeds|layers|heads|runs|epochs)\b",
    re.IGNORECASE,
)


_LISTED_BEFORE = re.compile(r"(?:[\d.e-]+\s?%?\s*(?:,\s*(?:and|or)?|and|or|/)\s*)+$")
_LISTED_AFTER = re.compile(r"^(?:\s*(?:,\s*(?:and|or)?|and|or|/)\s*[\d.e-]+\s?%?)+(?![\w.])")


_LIST = re.compile(r"\b(?:declared|list|allowed values|could be set)\b")


_AT_STEP = re.compile(r"\b(?:updates?|steps?|epochs?|iterations?|days?)\s*$")
_IDEAL = re.compile(r"\b(?:would be|honest|ideal\w*|target|nominal|chance|perfect\w*|short of)\b")
_TOWARDS = re.compile(r"\b(?:nearer|closer) to\b")
"""Before the share that a metric's own name says: coverage_90 lies nearer to 0.9."""
_PLAN = re.compile(r"\b(?:plan\w*|intend\w*|expect\w*|hypothes\w+|predict\w*|propos\w+)\b")
_COUNTED = {
    "seed": "seeds", "run": "runs", "dataset": "data sets", "task": "data sets", "corpora": "data sets",
    "set": "data sets", "sets": "data sets", "operation": "data sets", "model": "models in all", "variant": "runs",
    "outbreak": "seeds", "fit": "seeds", "configuration": "runs", "setting": "runs", "repetition": "seeds",
}  # fmt: skip


def fixed_source(
    number: Printed, text: str, seen: Named, ledger: Ledger, *, of_results: bool
) -> str:
    """Where a number comes from that is no result; empty if from nowhere. ``of_results``: its sentence
    speaks of a run's metric, so that only a setting that is named counts.
    """
    held = setting_holder(number, seen, ledger)
    found = _fixed(number, text, held, ledger, of_results=of_results)
    alone = None if found else _out_of_list(number, text)
    return _fixed(*alone, held, ledger, of_results=of_results) if alone else found


def _out_of_list(number: Printed, text: str) -> tuple[Printed, str] | None:
    """A number of a list beside the words before and behind the whole list: "in {4, 6, 12}", "6, 4 and 12 layers"."""
    before = _LISTED_BEFORE.sub("", text[: number.start])
    after = _LISTED_AFTER.sub("", text[number.end :])
    if len(before) + len(after) == len(text) - (number.end - number.start):
        return None
    end = len(before) + number.end - number.start
    said = text[number.start : number.end]
    return replace(number, start=len(before), end=end), f"{before}{said}{after}"


def _fixed(
    number: Printed,
    text: str,
    held: Callable[[CodeSetting], bool],
    ledger: Ledger,
    *,
    of_results: bool,
) -> str:
    before, after = around(number, text)
    near = before | after
    allowed = {
        DECLARED: bool(_LIST.search(text)),
        PLANNED: bool(_PLAN.search(text)),
    }
    stated = (one for one in ledger.stated if allowed.get(one.where, True))
    settings = (
        *(one for one in ledger.settings if not _equal(number, one.value, one.name) or held(one)),
        *stated,
    )
    if (noun := counted_noun(number, text)) and not number.percent:
        return _counted(number, noun, settings, ledger)
    told = [one for one in settings if stands_before(one, text[: number.start])]
    told = told or named_before(settings, text[: number.start])
    unnamed = [one for one in settings if told and _stated_after(number, one, text)]
    for one in () if number.times else [*told, *unnamed] or settings:
        named = told or fits_words(one, number, near, text, of_results=of_results)
        if _equal(number, one.value, one.name) and named:
            return f"{one.where}: {one.name or 'a number in its text'}"
    found = _conventional(number, text, ledger) or _place(number, text, ledger)
    if found or (told and not number.spelled):
        return found or derived_source(number, told, near, text, ledger)
    if not number.percent and (found := _count(number, after, ledger)):
        return found
    ratio = next(OF_HUNDRED.finditer(text), None)
    part = number.percent or (ratio is not None and ratio.start() <= number.start < ratio.end())
    if part and SPLIT.search(text) and are_shares(text, settings):
        return "a share of the data, from the code"
    return "" if of_results else derived_source(number, settings, near, text, ledger)


def _stated_after(number: Printed, one: CodeSetting, text: str) -> bool:
    """Whether a fraction stands after the very word after which a description states it: "decay 0.9"."""
    if one.name or not 0 < one.value < 1 or not one.about:
        return False
    last = re.findall(r"[A-Za-z]+", text[: number.start])[-1:]
    first = one.about.split()[0]
    return bool(last) and words.plain_form(last[0]) == words.plain_form(first)


def _conventional(number: Printed, text: str, ledger: Ledger) -> str:
    """A level of confidence, or the year of a reference."""
    level = number.percent or number.value in {0.05, 0.01, 0.9, 0.95, 0.99, 1.645, 1.96, 2.576}
    if _CONVENTIONS.search(text) and level:
        return "a level that is a convention"
    year = number.value in ledger.years and number.value > 1800 and number.step == 1
    return "the year of a reference" if year else ""


def _place(number: Printed, text: str, ledger: Ledger) -> str:
    """A seed by its number, a place in training ("update 180"), the value that is honest by definition."""
    before = text[: number.start].lower()
    if number.value in ledger.seeds and re.search(r"\bseeds?\b", before):
        return "a seed"
    totals = [s.value for s in ledger.settings if {"step", "day"} & set(words.words_of(s.name))]
    whole = number.value == int(number.value)
    if whole and _AT_STEP.search(before) and number.value <= max(totals, default=0):
        return "a place in training"
    every = [s.value for s in ledger.settings if "every" in s.name.lower() and s.value > 0]
    if re.search(r"\bevery\s*$", before) and any(number.value % one == 0 for one in every):
        return "a multiple of a setting"
    by_name = any(
        round(number.value * 100) == int(part) and 0 < number.value < 1
        for metric in ledger.metrics
        for part in words.words_of(metric.name)
        if part.isdigit()
    )
    ideal = (by_name or number.text in {"0", "1"}) and _IDEAL.search(text)
    return "a constant" if ideal or (by_name and _TOWARDS.search(text)) else ""


def _count(number: Printed, after: Iterable[str], ledger: Ledger) -> str:
    """What the program counts, if the words after a number name it."""
    kinds = {_COUNTED[word] for word in after if word in _COUNTED}
    for what, count in ledger.counts:
        if (
            number.value == count
            and "." not in number.text
            and what.split(" of ")[0].split(" beside ")[0] in kinds
        ):
            return f"how many {what}"
    return ""


def counted_noun(number: Printed, text: str) -> str:
    """The noun right after a number that says what it counts: "5 seeds"."""
    noun = _NOUN.match(text, number.end)
    return noun[1].lower() if noun else ""


def _counted(number: Printed, noun: str, settings: Iterable[CodeSetting], ledger: Ledger) -> str:
    """The source of a number right before what it counts: "5 seeds", "two layers"."""
    noun = words.plain_form(noun).removesuffix("s")
    if found := _count(number, [noun], ledger):
        return found
    for one in settings:
        parts = {part.removesuffix("s") for part in words.words_of(one.name)}
        if noun in parts and _equal(number, one.value, one.name):
            return f"{one.where}: {one.name}"
    some = noun == "run" and number.value <= len(ledger.runs)
    return "a part of the runs" if some else ""


def _equal(number: Printed, value: float, name: str) -> bool:
    said = number.value / 100 if number.percent else number.value
    rest = number.percent and PART.search(name) is not None
    return math.isclose(said, value, rel_tol=1e-9, abs_tol=1e-12) or (
        rest and math.isclose(said, 1 - value, rel_tol=1e-9, abs_tol=1e-12)
    )
