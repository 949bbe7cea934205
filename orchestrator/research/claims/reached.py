"""A bound that is said of several runs, and which of them are on its side."""

from __future__ import annotations

import re
import statistics
from dataclasses import replace

from orchestrator.research.claims.bounds import Bound, bound_behind, plain_bound
from orchestrator.research.claims.counted_runs import RunCount, around_number, run_count
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.metric_kinds import kind_of_metric
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.printed_errors import says_deviation
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    WholeReading,
    measured_values,
    places_in,
    told_as,
)
from orchestrator.research.claims.within_run import (
    Repeated,
    repeated,
    repeated_holds,
    repeated_runs,
    told_of,
)

_GAP = r"(?:[\s$(]|\ban?\b|\ban? (?:[\w-]+ ){1,4}of\b|\bthe\b|\b(?:mark|value|level|threshold|bar|limit) of\b|\b(?:even|just|only|about)\b)*$"
_REACHES = re.compile(
    rf"\b(?:reach(?:es|ed|ing)?|attain(?:s|ed|ing)?|achiev(?:e|es|ed|ing)|hits?|gets?(?:\s+(?:up\s+)?to|\s+as\s+\w+\s+as)|got\s+to|comes?\s+to|makes?\s+it\s+to|arrives?\s+at|gets){_GAP}"
)
_PASSES = re.compile(
    rf"\b(?:pass(?:es|ed)?|cross(?:es|ed)?|breaks?|tops?|beats?|climbs?\s+(?:past|to)|rises?\s+to|grows?\s+to|gets?\s+past){_GAP}"
)
_SINKS = re.compile(
    rf"\b(?:(?:falls?|drops?|sinks?)\s+(?:down\s+)?to|(?:goes|go|gets?|comes?)\s+down\s+to|undercuts?|as\s+(?:low|little|small|few)\s+as){_GAP}"
)
_RISES = re.compile(rf"\bas\s+(?:high|large|much|great|many)\s+as{_GAP}")
_BEHIND = re.compile(
    r"[\s$)]*(?:%\s*)?(?:(?:is|are|was|were)\s+(?:never\s+|not\s+|only\s+)?(?P<verb>reached|attained|achieved|hit|exceeded|surpassed|passed|crossed|undercut|missed)"
    r"|or\s+(?P<word>more|higher|above|larger|better|over|less|lower|below|smaller|under|fewer)\b)"
)
_UP = ("exceeded", "surpassed", "passed", "crossed", "more", "higher", "above", "larger", "over")
_LOWER_IS_MORE = frozenset({"loss", "ppl"})
_OPPOSITE: dict[Bound, Bound] = {"above": "at most", "below": "at least", "at least": "below", "at most": "above"}  # fmt: skip
_OPPOSITE_SIDE: dict[Bound, Bound] = {"at least": "at most", "at most": "at least"}
_ERROR = re.compile(r"\bstandard errors?\b|\bs\.e\.")
_BY = re.compile(r"\bby\b[^,;:]{0,24}$")
_PARTS = re.compile(r"[\s-](thirds?|quarters?|fourths?|fifths?|tenths?)\b")
_WHOLE = {"third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_NOT = re.compile(
    r"\b(?:do|does|did|is|are|was|were|can|could|has|have)\s*(?:not|n't)\b|\bcannot\b|\bfails?\s+to\b|\bfailed\s+to\b"
)


def reached_reading(part: SentencePart, masked: str, ledger: Ledger) -> WholeReading | None:
    """Whether a bound holds for as many runs as a sentence says; None where it says it of one run, or no bound."""
    part = replace(part, number=_of_fraction(part))
    number = part.number
    if number.times or number.spelled or not part.scope.metrics or _BY.search(part.before):
        return None
    if (repeats := repeated(part, around_number(part))) is not None:
        return _of_repeats(part, repeats, ledger)
    said = run_count(part, masked, ledger)
    if said is None:
        return None
    held, told = list[bool](), ""
    for metric, data in places_in(part.scope, ledger):
        bounds = _bounds(part, metric, ledger)
        if not bounds:
            return None
        told = told or bounds[0]
        held.append(
            any(
                all(_holds(part, said, one, metric, where, ledger) for where in data)
                for one in bounds
            )
        )
    if not held:
        return None
    return WholeReading(
        any(held), told_as(f"{said.what}: {told} {number.text}", part.scope, ledger)
    )


def _of_repeats(part: SentencePart, said: Repeated, ledger: Ledger) -> WholeReading | None:
    """Whether a bound holds for as many seeds or data sets of a run as are said."""
    held, told = list[bool](), ""
    for metric, data in places_in(part.scope, ledger):
        for bound in _bounds(part, metric, ledger):
            told = told or f"{bound} {part.number.text}"
            found = repeated_holds(part, said, bound, metric, data, ledger)
            held += [found] if found is not None else []
    if not held:
        return None
    what = told_of(said, repeated_runs(part, ledger), ledger)
    return WholeReading(any(held), told_as(f"{what}: {told}", part.scope, ledger))


def _of_fraction(part: SentencePart) -> Printed:
    """The number of "nine tenths"."""
    match = _PARTS.match(part.after) if part.number.spelled else None
    if match is None:
        return part.number
    value = part.number.value / _WHOLE[match[1].rstrip("s")]
    return replace(part.number, value=value, step=0.01, coarse=0.01, spelled=False)


def _bounds(part: SentencePart, metric: str, ledger: Ledger) -> tuple[Bound, ...]:
    """The bound that the words say, before anyone denies it of a run, the likeliest first; empty where they say none."""
    plain = plain_bound(part.before)[0] or bound_behind(part.after)
    if plain in {"above", "below", "at least", "at most"}:
        found: tuple[Bound, ...] = (plain,)
    else:
        found = () if plain else _by_verb(part, metric, ledger)
    return tuple(_OPPOSITE[one] for one in found) if _NOT.search(part.before) else found


def _by_verb(part: SentencePart, metric: str, ledger: Ledger) -> tuple[Bound, ...]:
    """The side of "reach 60 %", by what is more of a metric; of "0.9 is exceeded by", "60 % or more"."""
    less = kind_of_metric(ledger.metric(metric)) in _LOWER_IS_MORE
    less = less or ledger.better(metric, -1.0) is True
    towards: Bound = "at most" if less else "at least"
    if (match := _BEHIND.match(part.after)) is not None:
        return _by_word(match["verb"] or "", match["word"] or "", towards)
    found: Bound | None = "at most" if _SINKS.search(part.before) else None
    found = found or ("at least" if _RISES.search(part.before) else None)
    if found is None and _PASSES.search(part.before):
        found = "below" if less else "above"
    found = found or (towards if _REACHES.search(part.before) else None)
    return (found,) if found else ()


def _by_word(verb: str, word: str, towards: Bound) -> tuple[Bound, ...]:
    """The side that a word behind a number says."""
    if verb in _UP:
        return ("above",)
    if word in _UP:
        return ("at least",)
    if verb in {"reached", "attained", "achieved", "hit"}:
        # a loss of 1.06 that is never reached lies above all that was measured, too
        return (towards, _OPPOSITE_SIDE[towards])
    if word == "better":
        return (towards,)
    if verb == "missed":
        return (_OPPOSITE[towards],)
    return ("below",) if verb else ("at most",)


def _holds(
    part: SentencePart, said: RunCount, bound: Bound, metric: str, data: str, ledger: Ledger
) -> bool:
    """Whether as many runs as are said are on the side of a bound, on one data set."""
    values = {
        run: value[0]
        for run in ledger.numbers
        if (value := _value(part, run, data, metric, ledger))
    }
    # what only rounds to the number may be said to reach it, and not to reach it
    sided = {run: part.is_on(value, bound) for run, value in values.items()}
    beyond = {run: part.is_past(value, bound) for run, value in values.items()}
    groups = [said.runs, *([tuple(n for n in said.runs if n)] if said.either else [])]
    fits = False
    for at, runs in enumerate(groups):
        known = [run for run in runs if run in sided]
        less = at * (said.least == len(said.runs) or said.what.startswith("all but"))
        most, least = (sum(side[run] for run in known) for side in (sided, beyond))
        fits |= bool(known) and said.least - less <= most and least <= said.most
    side = beyond if said.apart else sided
    others = [side[run] for run in said.others if run in side]
    return fits and (not any(others) if said.apart else all(others))


def _value(
    part: SentencePart, run: int, data: str, metric: str, ledger: Ledger
) -> tuple[float, ...]:
    """What a bound is said of: the mean of a run, or its error or deviation where the words name these."""
    around, cell = part.before + part.after, ledger.cells.get((run, data, metric))
    spread = _ERROR.search(around) or (says_deviation(around) and "sd" not in metric.split("_"))
    if cell is None or not spread:
        return measured_values(part.number, run, data, metric, part.text, ledger, seeds=False)
    if _ERROR.search(around):
        return () if cell.error is None else (cell.error,)
    return (statistics.stdev(cell.values),) if len(cell.values) > 1 else ()
