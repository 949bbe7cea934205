"""A run that a sentence calls the best or the worst one: "the best run is run 2", "run 2 is the worst model"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orchestrator.research.claims import words
from orchestrator.research.claims.behind_best import runs_from_best
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.quantity import Quantity
from orchestrator.research.claims.scope import Context
from orchestrator.research.claims.some_runs import runs_spoken_of

_RUN = r"\bthe (?P<what>best|worst) (?:run|model|variant)\b"
_FIRST = re.compile(
    rf"{_RUN}(?P<where>(?: (?:in|on|by|for|of) [^,;:]{{1,60}}?)?)\s+(?:is|was)\s+(?:the\s+|run\s+)?$"
)
_LAST = re.compile(
    rf"^\s+(?:is|was)\s+(?:overall\s+)?{_RUN}(?!\s+(?:with|among|of the|at|that|trained))"
)
_SOME = re.compile(r"\b(?:with|among|trained|at \d+)\b")


def named_best_problems(
    text: str, seen: Named, marks: Sequence[tuple[int, Quantity]], ledger: Ledger, context: Context
) -> Iterator[str]:
    """What a sentence calls the best or the worst run and is not, in the metric that it names alone."""
    metrics = {one.names for one in seen.metrics if not one.weak}
    named = metrics or ({context.metrics} if len(context.metrics) == 1 else set())
    if len(named) != 1 or words.NEGATED.search(text.lower()):
        return
    (names,) = named
    data = tuple(n for one in seen.data for n in one.names) or tuple(
        dict.fromkeys(one.data for _, one in marks if one.metric)
    )
    data = data or context.data
    among = runs_spoken_of(seen.masked, 0, seen.runs, ledger)
    if among is None:
        return
    for one in seen.runs:
        if one.every or len(one.names) != 1:
            continue
        match = _FIRST.search(text[: one.start].lower()) or _LAST.match(text[one.end :].lower())
        if match is None or _SOME.search(match.groupdict().get("where") or ""):
            continue
        rows = [
            row
            for metric in names
            for place in dict.fromkeys(data or ledger.datasets)
            if (row := [n for n in runs_from_best(place, metric, ledger) if n in among])
        ]
        at = 0 if match["what"] == "best" else -1
        held = [row[at] == int(one.names[0]) for row in rows]
        if held and not (all(held) if data else any(held)):
            yield f"'the {match['what']}' run is not {ledger.run(int(one.names[0])).label}"
