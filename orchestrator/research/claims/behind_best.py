"""How far a run is from the best one, or from the next: "trails the best run by 0.08", "0.02 ahead of the runner-up"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from orchestrator.research.claims.clauses import Clause
from orchestrator.research.claims.extreme_values import extreme_side
from orchestrator.research.claims.former import former_reading
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import NAME, Named
from orchestrator.research.claims.printed import is_printed
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    WholeReading,
    measured_values,
    places_in,
    told_as,
)

_RUN = r"(?:\s+(?:run|one|model|variant|result))?"
_BEST = rf"(?:the\s+)?(?:overall\s+)?(?:best|winner|leader)\b(?!\s+(?:\w+\s+)?(?:loss|accuracy|error|epoch|seed|value)){_RUN}"
_VALUE = r"the\s+(?:best|lowest|highest|smallest|largest)\s+(?:[\w-]+\s+){0,3}(?:loss|accuracy|error|value|result|mean|one)\b"
_NEXT = rf"(?:the\s+)?(?:runner-?\s?up|second[\s-]best|next[\s-]best|next){_RUN}"
_SOME = r"[\s$(]*(?:(?:by|about|roughly|only|just|a|mere|some|less|more|no|at|most|least|than|under|over|below|above)[\s$(]+)*$"
_TRAILS = re.compile(
    rf"\b(?:trail(?:s|ed|ing)?|behind|lags?(?:\s+behind)?|misses|above|below|off)\s+{_BEST}\s+by\b{_SOME}"
)
_LEADS = re.compile(
    rf"\b(?:(?:beats?|leads?|ahead\s+of|outperforms?|before)\s+(?P<next>{_NEXT})|leads?(?:\s+(?:the\s+(?:field|others|rest)|all\s+others))?)\s+by\b{_SOME}"
)
_UNIT = r"[\s$)]*(?:(?:%|percent(?:age)?|points?|nats?|bits?|s|seconds?|(?:people|nats?|bits?)\s+per\s+\w+)[\s$)]*){0,2}"
_OFF = re.compile(
    rf"{_UNIT}(?:behind|away\s+from|off|above|below|short\s+of|of|from|worse\s+than|higher\s+than|lower\s+than)\s+(?:{_BEST}|{_VALUE})"
)
_AHEAD = re.compile(
    rf"{_UNIT}(?:ahead\s+of|before|better\s+than|lower\s+than|higher\s+than|above|below)\s+{_NEXT}"
)
_WITHIN = re.compile(r"\bwithin[\s$(]*$")
_BESIDE_NEXT = re.compile(rf"\b(?:ahead\s+of|beats?|leads?|outperforms?|better\s+than)\s+{_NEXT}")
_BESIDE_BEST = re.compile(rf"\b(?:trail(?:s|ed|ing)?|behind|than|from|over)\s+{_BEST}")


def behind_best_reading(part: SentencePart, seen: Named, ledger: Ledger) -> WholeReading | None:
    """Whether a run is as far from the best one, or the best from the next, as a sentence says; None where it says
    nothing of the kind.
    """
    if part.number.times or part.number.spelled:
        return None
    found = _of_best_reading(part, ledger) or _beside_run_reading(part, seen, ledger)
    if found := found or former_reading(part, seen, ledger):
        return found
    leads = bool(_LEADS.search(part.before) or _AHEAD.match(part.after))
    trails = bool(_TRAILS.search(part.before) or _OFF.match(part.after))
    number, runs = part.number, part.named or part.scope.alone or part.scope.runs
    if leads == trails or len(runs) != 1:
        return None
    if _WITHIN.search(part.before):
        number = replace(number, bound="at most")
    held = list[bool]()
    for metric, data in places_in(part.scope, ledger):
        for one in data:
            ordered = runs_from_best(one, metric, ledger)
            if runs[0] not in ordered:
                continue
            at = ordered.index(runs[0])
            other = ordered[1:2] if leads else ordered[:1]
            if at != 0 and leads:  # it does not lead
                held.append(False)
                continue
            held.append(
                bool(other)
                and _is_apart(replace(part, number=number), (*runs, *other), metric, one, ledger)
            )
    if not held:
        return None
    what = f"{ledger.run(runs[0]).label} and the {'next' if leads else 'best'} run: difference"
    return WholeReading(any(held), told_as(what, part.scope, ledger))


_OF_BEST = re.compile(
    r"\b(?:the|our)\s+(?P<what>best|worst)\s+(?:run|model|variant)\b[^,;:\d]*$|\b(?:and|,)\s+the\s+(?P<also>best|worst)\s+$"
)


def _of_best_reading(part: SentencePart, ledger: Ledger) -> WholeReading | None:
    """For "our best run reaches 1.9": whether it is that run's mean; None where it is not, since another run's may be
    meant.
    """
    match = _OF_BEST.search(part.before)
    if match is None or part.named or part.number.bound:
        return None
    at = 0 if (match["what"] or match["also"]) == "best" else -1
    for metric, data in places_in(part.scope, ledger):
        for one in data:
            for run in [*runs_from_best(one, metric, ledger)][at:][:1]:
                found = measured_values(
                    part.number, run, one, metric, part.text, ledger, seeds=False
                )
                if found and is_printed(part.number, found[0]):
                    return WholeReading(
                        holds=True, read=told_as("the best run", part.scope, ledger)
                    )
    return None


_BESIDE_RUN = re.compile(
    rf"{_UNIT}(?P<side>behind|ahead\s+of)\s+(?:that\s+of\s+)?(?:the\s+)?(?:run\s+)?(?={NAME})"
)


def _beside_run_reading(part: SentencePart, seen: Named, ledger: Ledger) -> WholeReading | None:
    """For "run 2 is 0.2 behind run 5": whether they are as far apart, to that side."""
    match = _BESIDE_RUN.match(seen.masked, part.number.end)
    single = [one for one in seen.runs if not one.every and len(one.names) == 1]
    first = [one for one in single if one.start < part.number.start][:1]
    other = [one for one in single if match and one.start == match.end()]
    if match is None or len(first) != 1 or len(other) != 1 or first[0].names == other[0].names:
        return None
    pair = (int(first[0].names[0]), int(other[0].names[0]))
    held = [
        _is_apart(part, pair, metric, one, ledger)
        and (ordered.index(pair[0]) < ordered.index(pair[1])) == (match["side"] != "behind")
        for metric, data in places_in(part.scope, ledger)
        for one in data
        if {*pair} <= {*(ordered := runs_from_best(one, metric, ledger))}
    ]
    return WholeReading(any(held), told_as("difference", part.scope, ledger)) if held else None


def runs_from_best(data: str, metric: str, ledger: Ledger) -> Sequence[int]:
    """The runs, the best first; none where no side is the better one."""
    highest = extreme_side(metric, "best", ledger)
    if highest is None:
        return ()
    means = {n: c.mean for n in ledger.numbers if (c := ledger.cells.get((n, data, metric)))}
    return sorted(means, key=lambda run: means[run], reverse=highest)


def _is_apart(
    part: SentencePart, pair: tuple[int, ...], metric: str, data: str, ledger: Ledger
) -> bool:
    number = replace(part.number, far=True)
    one, other = (
        measured_values(number, run, data, metric, part.text, ledger, seeds=False) for run in pair
    )
    if not one or not other:
        return False
    apart = abs(one[0] - other[0])
    ways = [apart]
    if number.percent and not number.points:
        share = [100 * apart / abs(size[0]) for size in (one, other) if size[0]]
        ways = share + ([apart] if ledger.metric(metric).share else [])
    return any(is_printed(number, value) for value in ways)


def best_run_problems(clause: Clause, text: str, ledger: Ledger) -> Iterator[str]:
    """For "behind the best run by <a difference>": one that is of no such run. ``text`` is the
    clause's, in which nothing is masked.
    """
    pairs = [one for one in clause.marks if one.pair]
    place = 0 if _BESIDE_BEST.search(text) else 1
    if len(pairs) != 1 or not (_BESIDE_BEST.search(text) or _BESIDE_NEXT.search(text)):
        return
    (mark,) = pairs
    ordered = runs_from_best(mark.data, mark.metric, ledger)[place : place + 1]
    if ordered and ordered[0] not in {mark.run, mark.against}:
        what = "second best" if place else "best"
        yield f"the {what} run is {ledger.run(ordered[0]).label}, and the number is of others"
