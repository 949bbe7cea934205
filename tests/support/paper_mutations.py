"""Finished papers with one thing changed, and whether the check of their sentences sees it.

The papers were written by a language model about the real studies of :mod:`tests.support.trial`; kept are
their sections, with every number by reference as the program printed it.
"""

from __future__ import annotations

import json
import lzma
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.ledger import Ledger
from tests.support import trial
from tests.support.places import DATA

PAPERS = ("grokking", "seir")
OWN = ("Abstract", "Introduction", "Results", "Discussion and Limitations", "Conclusion")
"""Sections that say what was found; the others say how."""
PRINTED = re.compile(r"\\measured\{([a-z]+)-[^}]*\}\{[^}]*\}\{([^}]*)\}")
OPPOSITE = {
    "rises": "falls", "raises": "lowers", "raised": "lowered", "higher": "lower", "above": "below",
    "better": "worse", "improves": "worsens", "larger": "smaller", "increases": "decreases",
}  # fmt: skip
FLIPPED = OPPOSITE | {other: word for word, other in OPPOSITE.items()}
NEAR = 90
"""Characters between a word or a name and the number that it stands beside."""
DIFFERENCES = {"diff", "by", "change", "points", "higher", "lower"}


@dataclass(frozen=True)
class Mutation:
    """One paragraph of a paper, and the same with one thing changed."""

    kind: str
    section: str
    before: str
    after: str


@cache
def sections(paper: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        lzma.decompress((DATA / "papers" / f"{paper}.json.xz").read_bytes())
    )
    return found


def problems(text: str, section: str, ledger: Ledger) -> Counter[str]:
    """What is wrong in a part of a section, sentence by sentence."""
    found = check_section(text, ledger, section.lower())
    return Counter(said for one in found for said in one.problems)


def is_seen(mutation: Mutation, paper: str) -> bool:
    """Whether the changed paragraph has a problem that the paper's own does not have."""
    ledger = trial.ledger(paper)
    before = problems(mutation.before, mutation.section, ledger)
    return bool(problems(mutation.after, mutation.section, ledger) - before)


def mutations(paper: str, sample: random.Random) -> Iterator[Mutation]:
    """Every mutation of a paper, one of each kind for each number, name and word that stands beside one."""
    ledger = trial.ledger(paper)
    names = [ledger.run(number).name or "baseline" for number in ledger.numbers]
    for section in OWN:
        for text in re.split(r"\n\s*\n", sections(paper)[section]):
            for match in PRINTED.finditer(text):
                yield _digit(section, text, match, sample)
                yield from _sign(section, text, match)
                yield from _unit(section, text, match)
                if match[1] in DIFFERENCES:
                    yield from _direction(section, text, match)
                    yield from _run(section, text, match, names, sample)


def _changed(kind: str, section: str, text: str, place: tuple[int, int], new: str) -> Mutation:
    return Mutation(kind, section, text, text[: place[0]] + new + text[place[1] :])


def _digit(section: str, text: str, match: re.Match[str], sample: random.Random) -> Mutation:
    at = sample.choice([at for at in range(*match.span(2)) if text[at].isdigit()])
    new = str((int(text[at]) + sample.randrange(1, 10)) % 10)
    return _changed("digit", section, text, (at, at + 1), new)


def _sign(section: str, text: str, match: re.Match[str]) -> Iterator[Mutation]:
    at = match.start(2) + 1
    if text[at] in "+-":
        new = "-" if text[at] == "+" else "+"
        yield _changed("sign", section, text, (at, at + 1), new)


def _unit(section: str, text: str, match: re.Match[str]) -> Iterator[Mutation]:
    if unit := re.search(r"~[A-Za-z ]+$", match[2]):
        place = match.start(2) + unit.start(), match.end(2)
        yield _changed("unit", section, text, place, "~furlongs")


def _before(text: str, match: re.Match[str]) -> tuple[int, str]:
    """The words between a number and the one before it or the end of the sentence before."""
    start = max(0, match.start() - NEAR)
    cut = max(
        text.rfind(mark, start, match.start()) for mark in ("}", ". ", "; ", ": ", ", ", "\n")
    )
    return cut + 1 if cut >= 0 else start, text[max(start, cut + 1) : match.start()]


def _direction(section: str, text: str, match: re.Match[str]) -> Iterator[Mutation]:
    start, words = _before(text, match)
    found = list(re.finditer(rf"\b({'|'.join(FLIPPED)})\b", words))
    if len(found) == 1:
        place = start + found[0].start(), start + found[0].end()
        yield _changed("direction", section, text, place, FLIPPED[found[0][0]])


def _run(
    section: str, text: str, match: re.Match[str], names: list[str], sample: random.Random
) -> Iterator[Mutation]:
    start, words = _before(text, match)
    pattern = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    for found in re.finditer(pattern, words):
        new = sample.choice([name for name in names if name != found[0]])
        place = start + found.start(), start + found.end()
        yield _changed("run", section, text, place, new)
