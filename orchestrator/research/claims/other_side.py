"""Differences and ratios by reference whose other side stands behind them: "<a difference> ahead of run 3"."""

from __future__ import annotations

import re

from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import NAME, Named
from orchestrator.research.claims.quantity import Quantity

_GAINS = re.compile(rf"{NAME}\s+(?P<verb>gains|wins|loses)\s+(?:about\s+|only\s+)?$")
_AHEAD = re.compile(
    rf"[\ue1ff]*\s*(?P<side>ahead\s+of|behind)\s+(?:that\s+of\s+)?(?:the\s+)?(?:run\s+)?(?={NAME})"
)


def is_on_other_side(place: int, one: Quantity, seen: Named, ledger: Ledger) -> bool:
    """For "<a difference> behind B": of the run that it names behind the number, whether it is the better one."""
    if one.kind not in {"by", "points"}:
        return False
    found = ledger.difference(one.run, one.against or 0, one.data, one.metric)
    gains = _GAINS.search(seen.masked[:place])
    own = [m for m in seen.runs if gains and m.end == gains.start() + 1]
    if gains and found is not None and [m.names for m in own] == [(str(one.run),)]:
        better = ledger.better(one.metric, found.value)
        return better is not None and better == (gains["verb"] == "loses")
    match = _AHEAD.match(seen.masked, place + 1)
    after = [m for m in seen.runs if match and m.start == match.end()]
    if match is None or len(after) != 1 or found is None:
        return False
    turned = after[0].names == (str(one.run),)
    better = ledger.better(one.metric, -found.value if turned else found.value)
    return better is not None and better == (match["side"] == "behind")


_TIMES_THAT = re.compile(
    rf"[\ue1ff]*\s*times\s+(?:as\s+\w+\s+as\s+)?(?:(?:that|those)\s+(?:of|in|for)\s+)(?:the\s+)?(?:run\s+)?(?={NAME})"
)


def is_turned(place: int, one: Quantity, seen: Named) -> bool:
    """For "that of A is <B over A> times that of B"."""
    match = _TIMES_THAT.match(seen.masked, place + 1) if one.kind == "ratio" else None
    before = [m for m in seen.runs if m.start < place and len(m.names) == 1 and not m.every]
    after = [m for m in seen.runs if match and m.start == match.end()]
    if not before or len(after) != 1:
        return False
    return before[-1].names == (str(one.against),) and after[0].names == (str(one.run),)
