"""Distances to "the former" or "the latter" of two runs: "less than 0.02 below the latter"."""

from __future__ import annotations

import re
from dataclasses import replace

from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import is_printed
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    WholeReading,
    measured_values,
    places_in,
    told_as,
)

_BESIDE = re.compile(
    r"[\s$)]*(?:(?:%|points?|nats?|bits?|s|seconds?)[\s$)]*)?(?:(?P<less>below|under|lower\s+than|less\s+than|smaller\s+than)"
    r"|above|over|higher\s+than|more\s+than|larger\s+than)\s+(?:that\s+of\s+)?the\s+(?P<which>former|latter)\b"
)


def former_reading(part: SentencePart, seen: Named, ledger: Ledger) -> WholeReading | None:
    """Whether the other of two runs is as far below, or above, the one that the words mean; None where they mean none."""
    match = _BESIDE.match(seen.masked[part.number.end :].lower())
    named = [one for one in seen.runs if not one.every and one.start < part.number.start]
    runs = tuple(dict.fromkeys(int(n) for one in named for n in one.names)) or part.scope.runs
    if match is None or len(runs) != 2 or part.number.percent:
        return None
    one, other = runs if match["which"] == "latter" else runs[::-1]
    number = replace(part.number, far=True)
    held = []
    for metric, data in places_in(part.scope, ledger):
        for place in data:
            mine, theirs = (
                measured_values(number, run, place, metric, part.text, ledger, seeds=False)
                for run in (one, other)
            )
            if mine and theirs:
                apart = theirs[0] - mine[0] if match["less"] else mine[0] - theirs[0]
                held.append(apart > 0 and is_printed(number, apart))
    read = f"{ledger.run(one).label} beside {ledger.run(other).label}: difference"
    return WholeReading(any(held), told_as(read, part.scope, ledger)) if held else None
