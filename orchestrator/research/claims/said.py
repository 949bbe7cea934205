"""What the words of a clause say of a comparison, and whether a difference is as they say."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from orchestrator.research.claims import words
from orchestrator.research.claims.clauses import Clause
from orchestrator.research.claims.ledger import Ledger, RunDifference, Side

_OF_A_KIND = re.compile(
    r"\ban? (?:[\w-]+ ){1,3}(?:that|which) (?:\w+ )?(?:rises|falls|grows|increases|decreases|drops)\b"
)
"""What "a step size that falls" does tells of a kind of thing, not of a run."""
_DEFINED = re.compile(
    r"\b(?:share|fraction|proportion|number|count) of (?:[\w-]+ ){0,3}?[\w-]+ (?:in|for|on|at|of) which\b.*"
)
"""What is counted, in the words of a definition: "the share of seeds in which a search lowers the cost"."""
_HOW_OFTEN = re.compile(
    r"[^,;:]*\bin [\ue1ff-\uf8ff]+ of (?:the |all )?(?:seeds|runs|fits|repetitions|models)\b"
)
"""What happens in a printed share of the seeds is no difference of means."""
_IN_SOME_SEEDS = re.compile(
    r"\bin (?:only |just |as few as )?(\w+) (?:out )?of (?:the |all |its |our )?(\w+) (?:random )?(?:seeds|repetitions|fits|outbreaks)\b"
)
_OF_A_SETTING = re.compile(
    r"\b(?:larger|smaller|higher|lower|greater) (?:constant |learning )?(?:steps?(?! loss)(?: sizes?)?|batch(?:es)?(?: sizes?)?|rates?|models?|networks?|widths?)\b"
)
"""What was set, and not what came of it: "larger steps have a part in it"."""


_BOUND = re.compile(
    r"\b(?:(?:drops?|falls?|fell|rises?|rose|goes|stays?|remains?|lies?) )?(?:above|below|exceed\w*|surpass\w*|(?:high|low|larg|small|great)er than)"
    r"(?=[\s$(]*(?:an? (?:[\w-]+ ){1,3}of )?[\s$(]*\d)"
)
"""A bound that is typed is held to the values themselves."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the words of a clause say of a comparison."""

    word: str
    sides: tuple[Side, ...]
    none: bool
    clear: bool
    negated: bool = False


def what_is_said(clause: Clause) -> Said | None:
    text = clause.text.lower()
    if (often := _IN_SOME_SEEDS.search(text)) is not None:
        part, whole = (words.spelled_count(one) for one in often.groups())
        if part is not None and whole is not None and 2 * part <= whole:
            return None  # what a smaller part of the seeds does, the mean need not do
    for no_result in (_OF_A_KIND, _DEFINED, _HOW_OFTEN, _OF_A_SETTING):
        text = no_result.sub(" ", text)
    text = _BOUND.sub(" ", text)
    none = words.NO_DIFFERENCE.search(text)
    clear = None if none else words.CLEAR_WORD.search(text)
    sides = tuple(side for side, pattern in words.CHANGES.items() if pattern.search(text))
    negated = bool(words.NEGATED.search(text)) and not none
    if len(sides) > 1:
        sides = ()
    clear = None if negated else clear
    several = [m for pattern in words.CHANGES.values() if (m := pattern.search(text))]
    found = none or clear or next((words.CHANGES[side].search(text) for side in sides), None)
    found = found or (several[0] if several and clause.marks and not negated else None)
    if found is None:
        return None
    return Said(found[0], sides, none is not None, clear is not None, negated)  # type: ignore[arg-type]  # keys of CHANGES


def holds(row: RunDifference, metric: str, said: Said, ledger: Ledger) -> bool:
    """Whether a difference is as the words say: none, clear, to this side."""
    if said.none:
        return not row.clear
    if said.negated:
        return not row.clear or not holds(row, metric, replace(said, negated=False), ledger)
    if said.clear and row.error is not None and not row.clear:
        return False
    return all(is_on(side, row.value, metric, ledger) for side in said.sides)


def is_on(side: Side, value: float, metric: str, ledger: Ledger) -> bool:
    if value == 0:
        return False
    if side in {"up", "down"}:
        return (value > 0) == (side == "up")
    better = ledger.better(metric, value)
    return better is None or better == (side == "better")
