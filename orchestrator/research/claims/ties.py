"""Whether the words around a number name a setting."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.research.claims import words
from orchestrator.research.claims.build import DECLARED, PLANNED
from orchestrator.research.claims.ledger import (
    CodeSetting,
)
from orchestrator.research.claims.printed import Printed

_REACHED = re.compile(r"\b(?:reach\w*|threshold|cross\w*|attain\w*|counts? as|exceed\w*)\b")


_THRESHOLD = re.compile(r"learned|threshold|target|limit|reached|counts as")
_RATE_OF = re.compile(
    r"\b(?:decay|rate|momentum|threshold|tolerance|probability)\s+(?:of\s+|=\s*|is\s+)?$"
)


_COMMON = {"number", "update", "updates", "trained", "training", "average", "parameter"}


_ALIASES = {
    "lr": ("learning", "rate"), "batch": ("batch", "minibatch"), "wd": ("weight", "decay"),
    "lambda": ("weight", "decay"), "iter": ("step",), "block": ("context", "window"),
    "width": ("dimension", "embedding", "wide", "channel", "head"), "layer": ("deep", "depth"),
    "modulus": ("modulo", "mod", "prime", "pair", "held", "table", "trained", "drawn"), "update": ("step",), "head": ("head",),
    "fraction": ("share", "half"), "rtol": ("tolerance",), "atol": ("tolerance",), "beta": ("beta", "momentum"), "number": (), "weight": ("lambda",),
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


def around(number: Printed, text: str) -> tuple[frozenset[str], frozenset[str]]:
    before = re.split(r"[;.,]\s", text[: number.start])[-1][-60:]
    after = re.split(r"[;.,](?:\s|$)", text[number.end :])[0][:40]
    return words_in(before), words_in(after)


def named_before(settings: Sequence[CodeSetting], before: str) -> list[CodeSetting]:
    """The settings that the last words before a number name by a word that few have: "latent for"."""
    clause = re.split(r"[;,.]\s", before)[-1]
    last = {words.plain_form(one) for one in re.findall(r"[A-Za-z]+", clause)[-3:]}
    rare = []
    for one in settings:
        own = {
            part for part in words.words_of(one.name) if len(part) > 5 and part in last - _COMMON
        }
        if own and sum(bool(own & set(words.words_of(other.name))) for other in settings) <= 2:
            rare.append(one)
    return rare


def words_in(text: str) -> frozenset[str]:
    return frozenset(words.plain_form(one) for one in re.findall(r"[A-Za-z]+", text))


def stands_before(setting: CodeSetting, before: str) -> bool:
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


def fits_words(
    setting: CodeSetting, number: Printed, near: frozenset[str], text: str, *, of_results: bool
) -> bool:
    """Whether the words near a number name a setting, by a word of its name or of its comment."""
    if not setting.name:
        about = words_in(setting.about) - _SMALL_WORDS
        about |= {"beta"} if "decay" in about else set()
        return not of_results and bool(about & near)
    if setting.where in {DECLARED, PLANNED}:
        return True
    if setting.value != int(setting.value):
        return _fits_fraction(setting, number, near, text, of_results=of_results)
    large = setting.value > 20 and not of_results and not number.percent
    seed = "seed" in setting.name and re.search(r"\bseeds?\b", text)
    known = "default" in near and tied(setting, words_in(text), names=True)
    return large or bool(seed) or known or tied(setting, near)


def _fits_fraction(
    setting: CodeSetting, number: Printed, near: frozenset[str], text: str, *, of_results: bool
) -> bool:
    """As :func:`fits_words`; few settings have the same digits, so less must be said of one."""
    if _RATE_OF.search(text[: number.start].lower()):
        return True
    if _REACHED.search(text[max(0, number.start - 40) : number.end + 40]):
        return bool(_THRESHOLD.search(f"{setting.name} {setting.about}".lower()))
    if of_results:
        parts = {part for part in words.words_of(setting.name) if len(part) > 4}
        return bool(parts & near) and "learned" not in parts
    if number.percent:
        return tied(setting, near)
    return tied(setting, words_in(text), names=True)


def tied(setting: CodeSetting, near: frozenset[str], *, names: bool = False) -> bool:
    parts = set(words.words_of(setting.name))
    known = parts | {alias for part in parts for alias in _ALIASES.get(part, ())}
    known |= frozenset() if names else words_in(setting.about)
    return bool((known - _SMALL_WORDS) & near) or bool(
        {"step"} & parts & near and setting.value > 12
    )
