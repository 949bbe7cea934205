"""Shares and multiples in words: "about a third of that of the baseline", "more than twice that of", "by almost half"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.research.claims.clauses import Clause, clause_pairs, places_of
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import NAME
from orchestrator.research.claims.scope import Scope

_OF = {
    "half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fourth": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10, "two thirds": 2 / 3,
    "three quarters": 3 / 4, "twice": 2.0, "double": 2.0, "three times": 3.0, "four times": 4.0, "five times": 5.0, "ten times": 10.0,
}  # fmt: skip
_ROUGH = r"about|almost|nearly|roughly|around|approximately|close\s+to|some"
_MOD = rf"(?:(?P<mod>more\s+than|over|less\s+than|under|at\s+least|at\s+most|not\s+even|just\s+under|just\s+over|{_ROUGH}|only|just|exactly)\s+)?"
_SHARE = r"(?P<word>two\s+thirds|three\s+quarters|(?:a\s+|one\s+)?(?:half|third|quarter|fourth|fifth|tenth))"
_MANY = r"(?P<many>twice|double|(?:three|four|five|ten)\s+times)"
_THAT = re.compile(
    rf"\b{_MOD}(?:{_SHARE}(?:\s+of)?|{_MANY})\s+(?:that|those)\s+(?:of|in|for|under|with)\s+(?:the\s+)?(?:run\s+)?(?={NAME})"
)
_WHOSE = re.compile(
    rf"\b{_MOD}(?:{_SHARE}\s+of|{_MANY})\s+(?:the\s+)?(?:(?={NAME}+['’]s)|(?:[a-z][\w-]*\s+){{1,4}}of\s+(?:the\s+)?(?={NAME}))"
)
_BY = re.compile(
    rf"\bby\s+{_MOD}{_SHARE}\b(?!\s+(?:of\s+an?\b|an?\s|nats?\b|bits?\b|points?\b|seconds?\b|days?\b|log\b))"
)
_IN_HALF = re.compile(
    r"\b(?:cuts?|reduc\w+|lower\w*)\b[^,;:]*\bin\s+(?P<mod>about\s+)?(?P<word>half)\b"
)
_MORE_THAN = re.compile(r"\bmore\s+than\s+(?P<word>halv|doubl|tripl)(?:es|ed|e|ing)\b")
_EXACT, _NEAR = 1.13, 1.3  # how far a word may be from the ratio, by a factor
_ROUGHLY = re.compile(_ROUGH)


def fraction_problems(clause: Clause, scope: Scope, ledger: Ledger) -> Iterator[str]:
    """What a clause calls a share or a multiple of another run's value, or a change by a share, and is none."""
    text = clause.text.lower()
    single = [one for one in clause.runs if not one.every and len(one.names) == 1]
    match = _THAT.search(text) or _WHOSE.search(text)
    if match is not None and scope.metrics:
        at = clause.start + match.end()
        other = [int(one.names[0]) for one in single if one.start == at]
        own = list(dict.fromkeys(int(one.names[0]) for one in single if one.end <= at))
        own = own or list(scope.subjects)
        if len(other) == 1 and len(own) == 1 and own != other:
            wanted = _value(match["word"] or match["many"])
            ratios = [*_ratios([(own[0], other[0])], scope, ledger)]
            if ratios and not any(_fits(one, wanted, match["mod"] or "") for one in ratios):
                yield f"{match[0].strip(f' {NAME}')!r} is not so ({scope.told(ledger)})"
    if (match := _MORE_THAN.search(text)) is not None and scope.metrics and not scope.open_run:
        least = {"halv": 1 / 2, "doub": 2.0, "trip": 3.0}[match["word"][:4]]
        ratios = [*_ratios(clause_pairs(scope, ledger), scope, ledger)]
        if ratios and not any(one <= least if least < 1 else one >= least for one in ratios):
            yield f"{match[0]!r} is not so ({scope.told(ledger)})"
    if (match := _BY.search(text) or _IN_HALF.search(text)) is not None:
        yield from _change_problems(match, clause, scope, ledger)


def _change_problems(
    match: re.Match[str], clause: Clause, scope: Scope, ledger: Ledger
) -> Iterator[str]:
    """For "by almost half": of the change that is printed behind it, or of the runs that the clause compares."""
    printed = [one for one in clause.marks if one.pair and clause.places[one] >= match.end()]
    if len(printed) == 1:
        (one,) = printed
        pair = (one.run, one.against or 0)
        cells = [ledger.cells.get((run, one.data, one.metric)) for run in pair]
        values = [cell.mean for cell in cells if cell is not None]
        ratios = [values[0] / values[1]] if len(values) == 2 and values[1] else []
    else:
        pairs = clause_pairs(scope, ledger) if scope.metrics and not scope.open_run else []
        ratios = [*_ratios(pairs, scope, ledger)]
    wanted = _value(match["word"])
    if ratios and not any(_fits(abs(1 - one), wanted, match["mod"] or "") for one in ratios):
        yield f"{match[0]!r} is not so ({scope.told(ledger)})"


def _value(said: str) -> float:
    return _OF[re.sub(r"^(?:a|one)\s+", "", " ".join(said.split()))]


def _ratios(pairs: list[tuple[int, int]], scope: Scope, ledger: Ledger) -> Iterator[float]:
    for run, other in pairs:
        for place in places_of(scope, ledger):
            one, two = (ledger.cells.get((n, *place)) for n in (run, other))
            if one is not None and two is not None and two.mean:
                yield one.mean / two.mean


def _fits(ratio: float, wanted: float, mod: str) -> bool:
    mod = " ".join(mod.split())
    if mod in {"more than", "over", "at least", "just over"}:
        return ratio >= 0.995 * wanted
    if mod in {"less than", "under", "at most", "not even", "just under"}:
        return ratio <= 1.005 * wanted
    near = _NEAR if mod and _ROUGHLY.fullmatch(mod) else _EXACT
    return wanted / near <= ratio <= wanted * near
