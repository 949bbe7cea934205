"""Numbers that are no results: settings by name, counts, years, and those that papers print as such."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import product

from orchestrator.research.claims import words
from orchestrator.research.claims.build import DECLARED
from orchestrator.research.claims.ledger import Ledger, Setting
from orchestrator.research.claims.printed import Printed, printed_numbers

_CONVENTIONS = re.compile(
    r"confidence|significance level|credible|interval|quantile|percentile|nominal", re.IGNORECASE
)
_PART = re.compile(r"fraction|share|split|portion|ratio", re.IGNORECASE)
_NOUN = re.compile(
    r"\s+(?:random |different |independent |repeated |attention |transformer )?(seeds|layers|heads|runs|epochs)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"\b(?:train\w*|validation|test\w*|held)\b.*\b(?:train\w*|validation|test\w*|held)\b"
)
_REACHED = re.compile(r"\b(?:reach\w*|threshold|cross\w*|attain\w*|counts? as|exceed\w*)\b")
_RATE_OF = re.compile(
    r"\b(?:decay|rate|momentum|threshold|tolerance|probability)\s+(?:of\s+|=\s*|is\s+)?$"
)
_LIST = re.compile(r"\b(?:declared|list|allowed values|could be set)\b")
_REST = re.compile(r"\b(?:remaining|rest|left|last|further|remain)\b")
_COMMON = {"number", "update", "updates", "trained", "training", "average", "parameter"}
_LOGARITHM = re.compile(r"\b(?:ln|log|guess\w*|chance|uniform\w*)\b", re.IGNORECASE)
_COUNTED = {
    "seed": "seeds", "run": "runs", "dataset": "data sets", "task": "data sets", "corpora": "data sets",
    "set": "data sets", "operation": "data sets", "model": "models in all", "variant": "runs",
    "outbreak": "seeds", "fit": "seeds", "configuration": "runs", "setting": "runs", "repetition": "seeds",
}  # fmt: skip
_ALIASES = {
    "lr": ("learning", "rate"), "batch": ("batch", "minibatch"), "wd": ("weight", "decay"),
    "lambda": ("weight", "decay"), "iter": ("step",), "block": ("context", "window"),
    "width": ("dimension", "embedding", "wide", "channel", "head"), "layer": ("deep", "depth"),
    "modulus": ("modulo", "mod", "prime", "pair", "held", "table"), "update": ("step",), "head": ("head",),
    "fraction": ("share", "half"), "rtol": ("tolerance",), "atol": ("tolerance",), "beta": ("beta",), "number": (), "weight": ("lambda",),
}  # fmt: skip
_SMALL_WORDS = frozenset(
    [
        "the",
        "of",
        "and",
        "a",
        "an",
        "in",
        "to",
        "for",
        "with",
        "on",
        "by",
        "is",
        "are",
        "at",
        "as",
        "its",
        "per",
        "each",
        "that",
        "which",
        "it",
        "we",
        "from",
        "or",
        "be",
        "number",
        "value",
        "run",
        "step",
    ]
)


def fixed_source(number: Printed, text: str, ledger: Ledger, *, of_results: bool) -> str:
    """Where a number comes from that is no result; empty if from nowhere. ``of_results``: its sentence
    speaks of a run's metric, so that only a setting that is named counts.
    """
    before, after = _around(number, text)
    near = before | after
    declared = bool(_LIST.search(text))
    stated = (one for one in ledger.stated if declared or one.where != DECLARED)
    settings = (*ledger.settings, *stated)
    if (noun := counted_noun(number, text)) and not number.percent:
        return _counted(number, noun, settings, ledger)
    told = [one for one in settings if _full_name(one, text[: number.start])]
    told = told or _named_before(settings, text[: number.start])
    for one in told or settings:
        if _equal(number, one.value, one.name) and (
            told or _fits(one, number, near, text, of_results=of_results)
        ):
            return f"{one.where}: {one.name or 'a number in its text'}"
    if _CONVENTIONS.search(text) and (
        number.percent or number.value in {0.05, 0.01, 0.9, 0.95, 0.99}
    ):
        return "a level that is a convention"
    if told and not number.spelled:
        return _derived(number, told, near, text, ledger)
    for what, count in ledger.counts:
        if (
            number.value == count
            and not number.percent
            and any(
                _COUNTED.get(word) == what.split(" of ")[0].split(" beside ")[0] for word in after
            )
        ):
            return f"how many {what}"
    if number.value in ledger.years and number.value > 1800 and number.step == 1:
        return "the year of a reference"
    if _SPLIT.search(text) and number.percent and _are_shares(text, settings):
        return "a share of the data, from the code"
    return "" if of_results else _derived(number, settings, near, text, ledger)


def counted_noun(number: Printed, text: str) -> str:
    """The noun right after a number that says what it counts: "5 seeds"."""
    noun = _NOUN.match(text, number.end)
    return noun[1].lower() if noun else ""


def _counted(number: Printed, noun: str, settings: Iterable[Setting], ledger: Ledger) -> str:
    """The source of a number right before what it counts: "5 seeds", "two layers"."""
    noun = words.canonical(noun).removesuffix("s")
    for what, count in ledger.counts:
        if (
            number.value == count
            and _COUNTED.get(noun) == what.split(" of ")[0].split(" beside ")[0]
        ):
            return f"how many {what}"
    for one in settings:
        parts = {part.removesuffix("s") for part in words.words_of(one.name)}
        if noun in parts and _equal(number, one.value, one.name):
            return f"{one.where}: {one.name}"
    if (
        noun in {"seed", "run", "model", "step"}
        and number.value <= max((count for _, count in ledger.counts), default=0)
        and noun != "seed"
    ):
        return "a part of the runs"
    return ""


def _are_shares(text: str, settings: Iterable[Setting]) -> bool:
    """Whether the percentages of a text part a whole as the code does: 90, 5 and 5 at 0.9 and 0.95."""
    parts = [one.value for one in printed_numbers(text) if one.percent]
    by_name: dict[str, set[float]] = {}
    for one in settings:
        if 0 < one.value < 1:
            by_name.setdefault(one.name, set()).add(round(one.value, 6))
    cuts = [round(sum(parts[: place + 1]) / 100, 6) for place in range(len(parts))]
    cuts = cuts[:-1] if cuts and cuts[-1] == 1.0 and len(cuts) > 1 else cuts
    return bool(cuts) and any(
        all(cut in known or round(1 - cut, 6) in known for cut in cuts)
        and (len(cuts) > 1 or bool(_PART.search(name)))
        for name, known in by_name.items()
    )


def _around(number: Printed, text: str) -> tuple[frozenset[str], frozenset[str]]:
    before = re.split(r"[;.,]\s", text[: number.start])[-1][-60:]
    after = re.split(r"[;.,](?:\s|$)", text[number.end :])[0][:40]
    return _words(before), _words(after)


def _named_before(settings: Sequence[Setting], before: str) -> list[Setting]:
    """The settings that the last words before a number name by a word that few have: "latent for"."""
    clause = re.split(r"[;,.]\s", before)[-1]
    last = {words.canonical(one) for one in re.findall(r"[A-Za-z]+", clause)[-3:]}
    rare = []
    for one in settings:
        own = {
            part for part in words.words_of(one.name) if len(part) > 5 and part in last - _COMMON
        }
        if own and sum(bool(own & set(words.words_of(other.name))) for other in settings) <= 2:
            rare.append(one)
    return rare


def _words(text: str) -> frozenset[str]:
    return frozenset(words.canonical(one) for one in re.findall(r"[A-Za-z]+", text))


def _full_name(setting: Setting, before: str) -> bool:
    """Whether a setting's whole name stands just before a number: "label smoothing of"."""
    parts = [part for part in re.split(r"[_\W]+", setting.name.lower()) if part]
    if len(parts) == 1 and len(parts[0]) > 4:
        return bool(re.search(rf"\b{parts[0]}\W+(?:(?:of|is|was|=)\W+)?$", before.lower()))
    if len(parts) < 2 or parts[0] == "number":
        return False
    name = r"[\s_-]+".join(map(re.escape, parts))
    if setting.name.lower() == "weight_decay" and re.search(
        r"lambda\W+(?:(?:of|is|to|=)\W+)*$", before.lower()
    ):
        return True
    listed = re.sub(r"(?:[\d.e-]+\s*(?:,|and|or)+\s*)+(?:and|or)?\s*$", "", before.lower())
    between = r"(?:(?:of|is|was|to|at|set|equal|be|over|varied|between|in|values?|are)\W+)*"
    return bool(re.search(rf"\b{name}\W+{between}$", listed))


def _fits(
    setting: Setting, number: Printed, near: frozenset[str], text: str, *, of_results: bool
) -> bool:
    """Whether the words near a number name a setting, by a word of its name or of its comment."""
    if not setting.name:
        return not of_results and bool((_words(setting.about) - _SMALL_WORDS) & near)
    if setting.where == DECLARED:
        return True
    whole = setting.value == int(setting.value)
    if not whole and _RATE_OF.search(text[: number.start].lower()):
        return True
    if not whole and _REACHED.search(text[max(0, number.start - 40) : number.end + 40]):
        return setting.value > 0.6 or not of_results
    if of_results and not whole:
        parts = {part for part in words.words_of(setting.name) if len(part) > 4}
        return (bool(parts & near) and not parts & {"learned"}) or (
            "learned" in parts and bool(_REACHED.search(text))
        )
    if not whole and not of_results and not number.percent:
        return setting.value not in {0.1, 0.5} or _tied(setting, _words(text), names=True)
    if whole and setting.value > 20 and not of_results and not number.percent:
        return True
    if "seed" in setting.name and re.search(r"\bseeds?\b", text):
        return True
    return _tied(setting, near)


def _tied(setting: Setting, near: frozenset[str], *, names: bool = False) -> bool:
    parts = set(words.words_of(setting.name))
    known = parts | {alias for part in parts for alias in _ALIASES.get(part, ())}
    known |= frozenset() if names else _words(setting.about)
    return bool((known - _SMALL_WORDS) & near) or bool(
        {"step"} & parts & near and setting.value > 12
    )


def _equal(number: Printed, value: float, name: str) -> bool:
    said = number.value / 100 if number.percent else number.value
    rest = number.percent and _PART.search(name) is not None
    return math.isclose(said, value, rel_tol=1e-9, abs_tol=1e-12) or (
        rest and math.isclose(said, 1 - value, rel_tol=1e-9, abs_tol=1e-12)
    )


def _derived(
    number: Printed, settings: Iterable[Setting], near: frozenset[str], text: str, ledger: Ledger
) -> str:
    """A square of a setting, a share of it, a logarithm of one, a product of two that are named."""
    if number.percent or number.spelled:
        return ""
    whole = [s for s in settings if s.value > 1 and s.value == int(s.value) and s.name]
    shares = [s for s in settings if 0 < s.value < 1 and _PART.search(s.name)]
    squared = [one for one in whole if _tied(one, near)]
    for one in whole:
        if one in squared and number.value == one.value**2 and number.value > 50:
            return f"the square of {one.name}"
        if (
            _LOGARITHM.search(text)
            and "." in number.text
            and abs(math.log(one.value) - number.value) <= number.step / 2
        ):
            return f"the logarithm of {one.name}"
    for one, share in product(squared, shares):
        part, square = one.value**2 * share.value, one.value**2
        if number.value > 50 and number.value in {
            round(part), math.ceil(part), math.floor(part), square - round(part), square - math.floor(part),
        }:  # fmt: skip
            return f"{share.name} of the square of {one.name}"
    rates = [s for s in settings if "rate" in s.name.lower() or s.name.lower() == "dropout"]
    for one, other in product(rates, rates):
        if one.name != other.name and math.isclose(
            one.value * other.value, number.value, rel_tol=1e-9
        ):
            return f"{one.name} times {other.name}"
    if _REST.search(text[max(0, number.start - 25) : number.end + 12].lower()):
        for one, other in product(whole, whole):
            if one.value - other.value == number.value and number.value > 9:
                return f"{one.name} less {other.name}"
    tied = [s for s in settings if s.value > 0 and s.name and _tied(s, near, names=True)]
    for one, other in product(tied, tied):
        results = (one.value * other.value, one.value / other.value)
        if one.name != other.name and number.value in results and number.value > 4:
            return f"{one.name} and {other.name}"
    totals = [count for what, count in ledger.counts if what in {"runs", "data sets"}]
    seeds = {count for what, count in ledger.counts if what.startswith("seeds")}
    if "model" in near and any(number.value == math.prod(totals) * count for count in seeds):
        return "runs times data sets times seeds"
    return ""
