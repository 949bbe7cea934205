"""Whether the words beside a change say its direction: "lower by 0.25", "1.6 times longer", "100 seconds less"."""

from __future__ import annotations

import re

from orchestrator.research.claims.clause_cuts import clause_around
from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.ledger import Ledger, Side
from orchestrator.research.claims.metric_kinds import kind_of_metric
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.readings import side_of
from orchestrator.research.claims.scope import Scope

_UNIT = (
    r"\s*(?:%|×|-?\s?fold\b|(?:percent(?:age)?|points?|nats?|bits?|ms|milliseconds?|s|secs?|seconds?|min|minutes?|h|hours?|steps?"
    r"|updates?|epochs?|iterations?|times|x)\b)?(?:\s+points?\b)?\s*"
)
_AFTER = re.compile(
    rf"{_UNIT}(?:as\s+(?P<as>long|large|high|much|many|big|great|slow|fast|quick|small|low|short|few|little)\b|(?P<word>[a-z]+))"
)
_BY = re.compile(r"\bby[\s$(]*(?:about |roughly |almost |just |only )?[\s$(]*$")
_FACTOR = re.compile(r"\b(?:factor|multiple) of[\s$(]*$")
_WORDS: dict[Side, re.Pattern[str]] = {
    "up": re.compile(r"that|those|the|more|higher|larger|greater|longer|bigger|above|increases?|rise|long|large|high|much|many|big|great"),
    "down": re.compile(r"less|fewer|lower|smaller|shorter|below|under|earlier|sooner|decreases?|reductions?|small|low|short|few|little"),
}  # fmt: skip
_QUICK = re.compile(r"faster|quicker|speed-?ups?|sooner|earlier")
_SLOW = re.compile(r"slower|slow-?downs?|later")
_THAT = ("that", "those", "the")
"""Behind "1.6 times": as much as what follows, unless that is something else, as in "the speed"."""
_OTHER_THAN_IT = re.compile(r"\s+(?:speed|rate|throughput|number|size|cost|price)\b")
_PACE = re.compile(f"{_QUICK.pattern}|{_SLOW.pattern}")
_AS = {"slow": "slower", "fast": "faster", "quick": "faster"}


def agrees(fact: Fact, number: Printed, text: str, scope: Scope, ledger: Ledger) -> bool:
    """Whether the words around a number allow the direction of a fact."""
    if fact.against is None or fact.kind not in {"difference", "percent", "ratio"}:
        return True
    clause = clause_around(number.start, number.end, text).lower()
    after = _AFTER.match(text.lower(), number.end)
    word, times = (after["as"] or after["word"], bool(after["as"])) if after else ("", False)
    if word in _THAT and (
        not number.times or _OTHER_THAN_IT.match(text.lower(), after.end() if after else 0)
    ):
        word = ""
    said = _side_of_word(_AS.get(word, word), fact, ledger)
    up = _is_up(fact, ledger)
    if fact.kind == "ratio":
        return _ratio_agrees(fact, number, said, clause, text, scope, ledger, times=times, up=up)
    if said is not None and not number.signed:
        return up is None or _two_ways(scope) or up == (said == "up")
    if number.signed or fact.value == 0:
        return True
    sides = side_of(clause) or _paces(clause, fact, ledger)
    return len(sides) != 1 or _is_to(next(iter(sides)), fact, ledger)


def changes_by(number: Printed, text: str) -> bool:
    """Whether a number is how much something changes: "faster than the baseline by 2400 seconds"."""
    clause = clause_around(number.start, number.end, text).lower()
    change = side_of(clause) or any(_PACE.fullmatch(one) for one in re.findall(r"[a-z-]+", clause))
    return bool(change) and bool(_BY.search(text[: number.start].lower()))


def _ratio_agrees(
    fact: Fact,
    number: Printed,
    said: Side | None,
    clause: str,
    text: str,
    scope: Scope,
    ledger: Ledger,
    *,
    times: bool,
    up: bool | None,
) -> bool:
    """Of "N times": above 1 the larger side is the one that the words call larger."""
    if up is None or number.value <= 1 or _two_ways(scope):
        return True
    if times and said == "down":
        return not up  # "1.6 times as short"
    if said is not None:
        return up == (said == "up")
    if _FACTOR.search(text[: number.start].lower()):
        sides = side_of(clause) - {"better", "worse"}
        return len(sides) != 1 or _is_to(next(iter(sides)), fact, ledger, up=up)
    return True


def _two_ways(scope: Scope) -> bool:
    """Whether it is not sure which of two runs is compared with the other."""
    return not scope.compared and 0 in scope.objects and scope.runs == (0,)


def _is_up(fact: Fact, ledger: Ledger) -> bool | None:
    """Whether a fact's run has the larger mean; None where they are equal."""
    one, other = (
        ledger.cells[run, fact.dataset, fact.metric].mean for run in (fact.run, fact.against or 0)
    )
    return None if one == other else one > other


def _side_of_word(word: str, fact: Fact, ledger: Ledger) -> Side | None:
    """The side that a word right after a number says; "faster" is less of a time and more of a speed."""
    kind = kind_of_metric(ledger.metric(fact.metric))
    if _QUICK.fullmatch(word) or _SLOW.fullmatch(word):
        if kind not in {"time", "speed", "step"}:
            return None
        return "up" if (kind == "speed") == bool(_QUICK.fullmatch(word)) else "down"
    return next((side for side, pattern in _WORDS.items() if pattern.fullmatch(word)), None)


def _paces(clause: str, fact: Fact, ledger: Ledger) -> frozenset[Side]:
    """What "faster" and "slower" in a clause say of a time or a speed."""
    found = (
        _side_of_word(one, fact, ledger)
        for one in re.findall(r"[a-z-]+", clause)
        if _PACE.fullmatch(one)
    )
    return frozenset(side for side in found if side is not None)


def _is_to(side: Side, fact: Fact, ledger: Ledger, *, up: bool | None = None) -> bool:
    higher = fact.value > 0 if up is None else up
    if side in {"up", "down"}:
        return higher == (side == "up")
    better = ledger.better(fact.metric, 1.0 if higher else -1.0)
    return better is None or better == (side == "better")
