"""A bound that is said of each seed, or each data set, of a run: "in every seed it stays below 1.0"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.research.claims import words
from orchestrator.research.claims.bounds import Bound
from orchestrator.research.claims.ledger import AVERAGE, Ledger
from orchestrator.research.claims.whole_readings import SentencePart, labels, measured_values

_SEED = r"(?:random\s+|single\s+)?(?:seeds?|repetitions?|repeats?|replicates?)\b"
_DATA = r"(?:data\s?sets?|tasks?|corpora)\b"
_THE = r"(?:\s+(?:of\s+)?(?:the|its|our|these))?"
_COUNT = rf"(?P<count>one|{'|'.join(words.NUMBER_WORDS)}|\d{{1,2}})"
_FORMS = (
    ("all but", rf"\b(?:all|every\s+\w+)\s+but\s+{_COUNT}{_THE}\s+NOUN"),
    ("only", rf"\b(?:only|just|exactly|precisely)\s+(?:in\s+|for\s+|on\s+)?{_COUNT}{_THE}\s+NOUN"),
    ("no", rf"\b(?:no|none{_THE}|neither{_THE}|not\s+(?:a\s+single|one|any){_THE})(?:\s+\w+)?\s+NOUN"),
    ("every", rf"(?<!over )(?<!across )(?<!of )(?<!among )\b(?:every|each|all|both)(?:\s+single)?{_THE}(?:\s+(?:\w+))?\s+NOUN"),
)  # fmt: skip
_PATTERNS = {
    noun: [(name, re.compile(form.replace("NOUN", pattern))) for name, form in _FORMS]
    for noun, pattern in (("seed", _SEED), ("data set", _DATA))
}


_OF_RUNS = re.compile(r"\b(?:no|none|neither|nor|never|not|only|most|half|but|except)\b")
"""Another count beside that of the seeds, "in no run did all seeds reach", is too much for one reading."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A bound is said to hold for ``count`` of the seeds or data sets, or for all of them ``but`` that many."""

    noun: str
    count: int
    but: bool
    what: str


def repeated(part: SentencePart, plain: str) -> Repeated | None:
    """Of how many seeds or data sets a part of a sentence speaks; None where it speaks of none."""
    for noun, forms in _PATTERNS.items():
        for name, pattern in forms:
            if (match := pattern.search(plain)) is not None:
                said = words.spelled_count(match["count"]) if name in {"all but", "only"} else 0
                what = f"{name} {match['count']} {noun}s" if said else f"{name} {noun}"
                rest = plain[: match.start()] + plain[match.end() :]
                fits = (noun == "seed" or len(part.named) == 1) and not _OF_RUNS.search(rest)
                return (
                    Repeated(noun, said or 0, name in {"all but", "every"}, what) if fits else None
                )
    return None


def repeated_runs(part: SentencePart, ledger: Ledger) -> tuple[int, ...]:
    """The runs of which it is said."""
    return part.named or part.scope.runs or ledger.numbers


def told_of(said: Repeated, runs: tuple[int, ...], ledger: Ledger) -> str:
    return f"{said.what} of {labels(runs, ledger)}"


def repeated_holds(
    part: SentencePart,
    said: Repeated,
    bound: Bound,
    metric: str,
    data: tuple[str, ...],
    ledger: Ledger,
) -> bool | None:
    """Whether the bound holds for as many; None where the values are not known."""
    held = list[bool]()
    for values in _populations(part, said, metric, data, ledger):
        count = sum(part.is_on(value, bound) for value in values)
        held.append(count == (len(values) - said.count if said.but else said.count))
    return all(held) if held else None


def _populations(
    part: SentencePart, said: Repeated, metric: str, data: tuple[str, ...], ledger: Ledger
) -> Iterator[tuple[float, ...]]:
    for run in repeated_runs(part, ledger):
        rows = {
            one: measured_values(
                part.number, run, one, metric, part.text, ledger, seeds=said.noun == "seed"
            )
            for one in (data if said.noun == "seed" else ledger.datasets)
            if one != AVERAGE
        }
        if said.noun == "seed":
            yield from (row for row in rows.values() if len(row) > 1)
        elif joined := tuple(value for row in rows.values() for value in row):
            yield joined
