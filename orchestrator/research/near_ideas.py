"""Ideas that are nearly the same: in their words, or in the settings that they would try."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from orchestrator.core.research import Idea

_LIKE = 0.6  # share of runs of three words that two texts have in common
_OF_ONE_KIND = 0.2  # the same of single words, where the settings are equal
_FEWEST = 2  # settings that say what an idea would try
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_CLAUSE = r"(?:[^.;\n]|(?<=\d)\.(?=\d)){0,60}"  # what stands close behind a knob's name


def nearest_idea(
    idea: Idea, known: Iterable[Idea], knobs: Mapping[str, str]
) -> tuple[Idea | None, str]:
    """The known idea that ``idea`` repeats, and in what; (None, "") for a new one. ``knobs`` are the
    template's, by name, with the constant that each sets.
    """
    for other in known:
        if (idea.title, idea.experiment) == (other.title, other.experiment):
            return other, "the same text"
        own, others = _settings(idea, knobs), _settings(other, knobs)
        if own != others:  # else two sweeps of different knobs, in the same words, were one idea
            continue
        if _shared(_runs_of_words(idea, 3), _runs_of_words(other, 3)) >= _LIKE:
            return other, "nearly the same words"
        related = _shared(_runs_of_words(idea, 1), _runs_of_words(other, 1)) >= _OF_ONE_KIND
        if len(own) >= _FEWEST and related:
            return other, f"the same settings: {', '.join(sorted(own))[:200]}"
    return None, ""


def _runs_of_words(idea: Idea, length: int) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", f"{idea.title} {idea.experiment}".casefold())
    return frozenset(zip(*(words[at:] for at in range(length)), strict=False))


def _shared(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """The share of all their members that both have."""
    return len(one & other) / len(one | other) if one | other else 1.0


def _settings(idea: Idea, knobs: Mapping[str, str]) -> frozenset[str]:
    """``knob=value`` for each number that stands close behind a knob's name or constant."""
    found = set()
    for knob, constant in knobs.items():
        names = "|".join(re.escape(name) for name in {knob, constant, knob.replace("_", " ")})
        for match in re.finditer(rf"(?i)\b(?:{names})\b(?P<behind>{_CLAUSE})", idea.experiment):
            values = re.findall(_NUMBER, match["behind"])
            found |= {f"{knob}={float(value):g}" for value in values}
    return frozenset(found)
