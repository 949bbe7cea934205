"""Numbers by reference held to the sentence around them: the run, data set and metric that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.research.claims.beside import foreign_beside
from orchestrator.research.claims.ledger import AVERAGE, Ledger
from orchestrator.research.claims.mentions import NAME, Mention, Named
from orchestrator.research.claims.metric_names import required_words
from orchestrator.research.claims.other_side import is_on_other_side, is_turned
from orchestrator.research.claims.quantity import ONE_RUN, Quantity
from orchestrator.research.claims.respective import out_of_place
from orchestrator.research.claims.scope import Context
from orchestrator.research.claims.words import words_of


def reference_source(one: Quantity, ledger: Ledger) -> str:
    """Where a quantity was measured, in one line."""
    if not one.metric:
        return f"{one.kind} {one.name or one.data}".strip()
    data = "mean over the data sets" if one.data == AVERAGE else one.data
    against = "" if one.against is None else f" against {ledger.run(one.against).label}"
    return f"{ledger.run(one.run).label}{against}, {data}, {one.metric}: {one.kind}"


def reference_problems(
    marks: Sequence[tuple[int, Quantity]],
    seen: Named,
    ledger: Ledger,
    context: Context,
    *,
    kind: str,
) -> list[str]:
    """What a sentence names beside a number that is of something else; ``kind`` is the sentence's: a row
    is of one run, an item is of what its lead-in names.
    """
    problems, row = [], kind == "row"
    if kind == "item":
        problems = [
            _told(one, what, ledger)
            for _, one in marks
            if (what := _differs_from_lead(one, seen, ledger, context))
        ]
    fitting = any(_runs_of(one) & _named_runs(seen) for _, one in marks)
    for place, one in marks:
        if one.kind == "seconds" or one.metric:
            what = _differs(place, one, seen, ledger, context, fitting=fitting and not row)
            problems += [_told(one, what, ledger)] if what else []
    if not row and not problems:
        problems = [_told(one, "run", ledger) for one in foreign_beside(marks, seen)]
    if not row:
        problems += [_told(one, what, ledger) for one, what in out_of_place(marks, seen)]
    problems += [_told(one, "run", ledger) for place, one in marks if is_turned(place, one, seen)]
    problems += [
        f"the difference to {reference_source(one, ledger)} is to the other side"
        for place, one in marks
        if one.pair and is_on_other_side(place, one, seen, ledger)
    ]
    return problems + _swapped(marks, seen, ledger) + _other_unit(marks, seen, ledger)


def _named_runs(seen: Named) -> set[int]:
    return {int(n) for one in seen.runs if not one.every for n in one.names}


def _differs(
    place: int, one: Quantity, seen: Named, ledger: Ledger, context: Context, *, fitting: bool
) -> str:
    """Whether the run, the data set or the metric of a number is another than its sentence names;
    ``fitting``: another number of the sentence is of its run, so that this may be the other side.
    """
    runs, named = _runs_of(one), _named_runs(seen)
    own = (runs - {0}) or runs
    bases = {0, *(ledger.run(n).base for n in named)}
    other_side = fitting and bool(_SIDES.search(seen.masked.lower())) and runs <= named | bases
    unnamed_side = fitting and bool(_UNNAMED_SIDE.search(seen.masked[:place].lower()))
    first = all(m.start > place for m in seen.runs)
    carried = bool(own & set(context.runs)) and (first or named <= {0})
    if not named and runs != {0} and _REFERS.search(seen.masked) and context.runs:
        known = {0, *context.runs, *(ledger.run(n).base for n in context.runs)}
        return "" if own & known else "run"
    implied = one.pair and named <= runs  # "it falls too, by 0.1 against the baseline"
    if named and not own & named and not (other_side or unnamed_side or carried or implied):
        return "run"
    data = {n for m in seen.data for n in m.names}
    there = any((one.run, name, one.metric) in ledger.cells for name in data)
    if one.data != AVERAGE and there and one.data not in data:
        return "data set"
    return "metric" if one.metric and _other_metric(place, one, seen, ledger) else ""


def _differs_from_lead(one: Quantity, seen: Named, ledger: Ledger, context: Context) -> str:
    """Whether a number of an item is of another data set or metric than the lead-in of its list names,
    where the item names none.
    """
    if not one.metric:
        return ""
    there = any((one.run, name, one.metric) in ledger.cells for name in context.data)
    if not seen.data and there and one.data not in (*context.data, AVERAGE):
        return "data set"
    own = frozenset(words_of(one.metric))
    named = [required_words(ledger.metric(name), ledger) for name in context.metrics]
    known = seen.metrics or not named or one.metric in context.metrics
    return "" if known or any(each <= own for each in named) else "metric"


_SIDES = re.compile(
    r"\b(?:from|versus|vs|against|compared|instead|than|that of|while|whereas|where|relative)\b"
)


_UNNAMED_SIDE = re.compile(r"\b(?:from|versus|vs\.?|against)\s*$")


_REFERS = re.compile(r"\b(?:its|it|the (?:former|latter))\b", re.IGNORECASE)


_FOLLOWED = re.compile(rf"\s*(?:in|for|with|under|of|\()\s*(?:the\s+)?(?:run\s+)?{NAME}")

_TIMES_THE = re.compile("[\ue1ff]*\\s*times\\s+(?:the|its)\\s+")


def _runs_of(one: Quantity) -> set[int]:
    return {one.run, *([one.against] if one.against is not None else [])}


def _other_metric(place: int, one: Quantity, seen: Named, ledger: Ledger) -> bool:
    """Whether the last metric that is named before a number is another, and no more general one."""
    after = _TIMES_THE.match(seen.masked, place + 1)
    behind = [m for m in seen.metrics if after and m.start == after.end() and not m.weak]
    if behind and one.pair and not any(one.metric in m.names for m in seen.metrics):
        return True
    right_before = [
        m
        for m in seen.metrics
        if m.start < place and not m.weak and _OF_THIS.fullmatch(seen.masked, m.end, place)
    ]
    if one.kind in ONE_RUN and right_before and not _is_general(right_before, one, ledger):
        return True
    before = [m for m in seen.metrics if m.start < place]
    if not before or before[-1].weak or any(one.metric in m.names for m in seen.metrics):
        return False
    return not _is_general(seen.metrics, one, ledger)


_OF_THIS = re.compile(r"\s+(?:of|is|was)\s+(?:about\s+|only\s+|just\s+)?")
"""Between a metric's name and a number of it."""


def _is_general(named: Sequence[Mention], one: Quantity, ledger: Ledger) -> bool:
    """Whether one of the names is the metric's own, or a more general one."""
    own = frozenset(words_of(one.metric))
    return any(
        one.metric == name or required_words(ledger.metric(name), ledger) <= own
        for m in named
        for name in m.names
    )


def _other_unit(marks: Sequence[tuple[int, Quantity]], seen: Named, ledger: Ledger) -> list[str]:
    """A number in another unit than the one that its sentence speaks of."""
    text = seen.masked.lower()
    units = {m.unit.lower() for m in ledger.metrics if len(m.unit) > 3}
    said = {unit for unit in units if re.search(rf"\b(?:in|of)\s+{re.escape(unit)}", text)}
    own = {ledger.metric(one.metric).unit.lower() for _, one in marks if one.metric}
    if said and own and not said & own and all(len(unit) > 3 for unit in own):
        return [_told(one, "unit", ledger) for _, one in marks[:1]]
    return []


def _swapped(marks: Sequence[tuple[int, Quantity]], seen: Named, ledger: Ledger) -> list[str]:
    """Numbers of two runs that stand beside each other's names: "run 1 has <run 2's>, run 2 <run 1's>"."""
    single = [one for one in seen.runs if len(one.names) == 1 and not one.every]
    own = [(place, one) for place, one in marks if one.metric and not one.pair]
    if len(single) != len(own) or len({one.names for one in single}) < 2:
        return []
    order = [int(one.names[0]) for one in single]
    printed = [one.run for _, one in own]
    if sorted(order) != sorted(printed) or order == printed:
        return []
    if any(_FOLLOWED.match(seen.masked[place + 1 :]) for place, _ in own):
        return []  # "from 0.85 in the baseline": each number before its run
    first_names = all(name.start < place for name, (place, _) in zip(single, own, strict=True))
    alternate = first_names and all(
        own[at][0] < single[at + 1].start for at in range(len(single) - 1)
    )
    return [_told(own[0][1], "run", ledger)] if alternate else []


def _told(one: Quantity, what: str, ledger: Ledger) -> str:
    return f"the sentence names another {what} than its number, which is {reference_source(one, ledger)}"
