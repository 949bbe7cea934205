"""A bound that is said of a setting of several runs: "no run has more than 12 layers"."""

from __future__ import annotations

import re

from orchestrator.research.claims import words
from orchestrator.research.claims.bounds import Bound, plain_bound
from orchestrator.research.claims.counted_runs import run_count
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import is_printed
from orchestrator.research.claims.whole_readings import SentencePart, WholeReading

_LEFT_OUT = {
    "n",
    "num",
    "number",
    "max",
    "min",
    "total",
    "size",
    "value",
    "default",
    "of",
    "the",
    "a",
    "in",
    "per",
    "to",
}
_SIDES: tuple[Bound, ...] = ("above", "below", "at least", "at most")


def setting_reading(part: SentencePart, seen: Named, ledger: Ledger) -> WholeReading | None:
    """Whether as many runs as are said have a setting on the side of a bound; None where a sentence names a metric, or
    no setting of which every run has one value.
    """
    bound, _ = plain_bound(part.before)
    if part.number.spelled or part.number.times or part.number.percent:
        return None
    if seen.metrics or (bound and bound not in _SIDES):
        return None
    name, by_run = _named_setting(part, ledger)
    said = run_count(part, seen.masked, ledger) if name else None
    if said is None:
        return None
    number = part.number
    sided = {
        run: part.is_on(value, bound) if bound else is_printed(number, value)
        for run, value in by_run.items()
    }
    fits = said.least <= sum(sided[run] for run in said.runs) <= said.most
    others = [sided[run] for run in said.others]
    fits = fits and (not any(others) if said.apart else all(others))
    if not bound and not fits:
        return None  # a value may be said of a run that is described
    return WholeReading(
        fits, f"read as: {said.what}: {bound or 'exactly'} {number.text}; setting: {name}"
    )


def _named_setting(part: SentencePart, ledger: Ledger) -> tuple[str, dict[int, float]]:
    """The setting that the words around a number name by all words of its name, and each run's value of it."""
    near = {
        words.plain_form(word)
        for word in re.findall(r"[A-Za-z]+", f"{part.before[-48:]} {part.after[:24]}")
    }
    found: tuple[str, dict[int, float]] = ("", {})
    most = 0
    for name in dict.fromkeys(one.name for one in ledger.base_settings if one.name):
        own = set(words.words_of(name)) - _LEFT_OUT
        by_run = _values(name, ledger)
        if any(len(word) > 2 for word in own) and own <= near and len(own) > most and by_run:
            found, most = (name, by_run), len(own)
    return found


def _values(name: str, ledger: Ledger) -> dict[int, float]:
    """Each run's value of a setting; empty where a run has none, or several."""
    found = {}
    for run in ledger.numbers:
        values = {one.value for one in ledger.run_settings.get(run, ()) if one.name == name}
        if len(values) != 1:
            return {}
        found[run] = values.pop()
    return found
