"""The runs, data set and metric that a number of a sentence belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import AVERAGE, Ledger
from orchestrator.research.claims.lists import paired_names, zipped_run
from orchestrator.research.claims.mentions import Mention, Named
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.printed_errors import Errors

# Between a number and the name that follows it: "0.80 nats (run 1", "0.72 on x_minus_y".
_ATTACHED = re.compile(
    r"(?:[^\w;:,]*|,\s*(?=(?:in|for|under|with|by)\b))(?:(?:nats?|bits?|percentage|points?|steps?|updates?|days?|seconds?|s|ms|min|minutes?|hours?|layers?|epochs?|held-out|validation"
    r"|accuracy|loss|error|it|is|was)[^\w,;:]+){0,3}"
    r"(?:\(|\b(?:in|for|with|under|at|by|of|on|using)\b(?:(?:\s+[a-z'-]+){1,4}\s*\()?)?[\s(]*(?:the\b|its\b|that of|those of|under\b|run\b|``|'|modular\b|\s)*"
)
_ERROR = re.compile(r"\s*%?\s*\+-\s*[\d.]+(?:e[-+]?\d+)?\s*%?")


@dataclass(frozen=True, slots=True)
class Context:
    """What the sentences before have named, for those that name it no more. ``errors``: what the paper says somewhere
    that it prints after a ±.
    """

    runs: tuple[int, ...] = ()
    data: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    errors: Errors = ""

    def after(self, seen: Named) -> Context:
        """With what one more sentence names."""
        runs = tuple(dict.fromkeys(int(n) for one in seen.runs if not one.every for n in one.names))
        data = tuple(dict.fromkeys(n for one in seen.data for n in one.names))
        metrics = tuple(dict.fromkeys(n for one in seen.metrics for n in one.names))
        return replace(
            self, runs=runs or self.runs, data=data or self.data, metrics=metrics or self.metrics
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """``runs`` may have measured the number; ``objects`` are what these are compared with, and
    ``subjects`` the other runs of the sentence; ``every``: the text says it of all of them; ``compared``: words say
    which are the objects.
    """

    runs: tuple[int, ...]
    subjects: tuple[int, ...]
    objects: tuple[int, ...]
    data: tuple[str, ...]
    metrics: tuple[str, ...]
    every_run: bool = False
    every_data: bool = False
    open_run: bool = False
    all_metrics: tuple[str, ...] = ()
    alone: tuple[int, ...] = ()
    compared: bool = False
    errors: Errors = ""
    attached: bool = False  # the run stands right behind the number

    def told(self, ledger: Ledger) -> str:
        """How a number was read, for whoever corrects it."""
        runs = ", ".join(ledger.run(n).label for n in self.runs[:4])
        data = ", ".join("the mean of all" if d == AVERAGE else d for d in self.data[:3])
        metrics = ", ".join(self.metrics[:3])
        return f"read as: run: {runs or 'none'}; data set: {data or 'none'}; metric: {metrics or 'none'}"


def scope_of(number: Printed, seen: Named, text: str, context: Context) -> Scope:
    """The scope of one number of a sentence."""
    error = _ERROR.match(text, number.end)
    return scope_at(number.start, error.end() if error else number.end, seen, text, context)


def scope_at(start: int, end: int, seen: Named, text: str, context: Context) -> Scope:
    """The scope of what stands at this place of a sentence."""
    carried = bool(context.runs) and bool(_CARRIES.search(text[:start].lower()))
    runs, every_run = _nearest(seen.runs, start, end, text, carried=carried)
    data, every_data = _nearest(seen.data, start, end, text)
    metrics, _ = _nearest(seen.metrics, start, end, text, close=True)
    if behind := _behind_change(seen.data, end, text):
        data, every_data = behind.names, behind.every
    if (one_of_two := _of_two_data(start, end, seen, text, context)) is not None:
        data, every_data = (one_of_two,), False
    objects = objects_of(seen, text)
    compared = bool(compared_objects(seen, text))
    named = tuple(dict.fromkeys(int(n) for one in seen.runs for n in one.names))
    if 0 in named and len(named) > 1 and not objects:
        objects = (0,)
    subjects = tuple(n for n in named if n not in objects)
    if (zipped := zipped_run(start, seen)) is not None:
        runs = (zipped,)
    each = paired_names(seen)
    runs, data = each.get((start, "run"), runs), each.get((start, "data"), data)
    metrics = each.get((start, "metric"), metrics)
    listed = (start, "run") in each
    here = tuple(map(int, runs)) or context.runs
    return Scope(
        open_run=not listed
        and (
            not here or (compared and not subjects and not context.runs) or unnamed_side(seen, text)
        ),
        runs=here,
        subjects=subjects or context.runs,
        objects=objects,
        data=data or context.data,
        metrics=metrics or context.metrics,
        alone=tuple(
            dict.fromkeys(
                int(one.names[0]) for one in seen.runs if len(one.names) == 1 and not one.every
            )
        ),
        all_metrics=tuple(
            dict.fromkeys(n for one in seen.metrics if not one.weak for n in one.names)
        ),
        every_run=every_run,
        every_data=every_data,
        compared=compared,
        errors=context.errors,
        attached=attached_after(seen.runs, end, text) is not None,
    )


_CARRIES = re.compile(r"\b(?:it|its|there|this|then|here|these)\b")
_FIRST = re.compile(
    r"(?:\s*\+-\s*[\d.]+)?%?\s+and\s+-?\d*\.\d+(?:\s*\+-\s*[\d.]+)?%?(?!\s+(?:on|for|in)\b)"
)
_SECOND = re.compile(r"(?<![\w.])\d*\.\d+(?:\s*\+-\s*[\d.]+)?%?\s+and\s+$")


def _of_two_data(start: int, end: int, seen: Named, text: str, context: Context) -> str | None:
    """The data set of a number in "0.72 and 0.85" after two data sets were named, in their order."""
    first, second = _FIRST.match(text, end), _SECOND.search(text[:start])
    pair = (first.start() if first else start, first.end() if first else end)
    if bool(first) == bool(second) or any(pair[0] <= one.start < pair[1] for one in seen.data):
        return None
    named = tuple(dict.fromkeys(n for one in seen.data if one.start < start for n in one.names))
    names = named if len(named) == 2 else (context.data if not named else ())
    return names[0 if first else 1] if len(names) == 2 else None


_TO_NEXT = re.compile(r"\s*%?\s*(?:[a-z]{1,8}\s+)?to\s+[\d.]+\s*%?")


def _behind_change(mentions: Sequence[Mention], end: int, text: str) -> Mention | None:
    """What stands behind the second number of "from 1.467 to 1.390 on <data>", for the first."""
    change = _TO_NEXT.match(text, end)
    return attached_after(mentions, change.end(), text) if change else None


def attached_after(mentions: Sequence[Mention], end: int, text: str) -> Mention | None:
    """The mention that stands right behind a number, as in "0.2 in run 1"."""
    first = next((one for one in mentions if one.start >= end), None)
    return first if first and _ATTACHED.fullmatch(text[end : first.start].lower()) else None


def _nearest(
    mentions: Sequence[Mention],
    start: int,
    end: int,
    text: str,
    *,
    close: bool = False,
    carried: bool = False,
) -> tuple[tuple[str, ...], bool]:
    """The mention right after a number, else the last before it, else the first after it."""
    before = [one for one in mentions if one.start < start]
    after = [one for one in mentions if one.start >= end]
    if after:
        between = text[end : after[0].start]
        attached = _ATTACHED.fullmatch(between.lower()) and not (close and " on " in between)
        if attached or not (before or carried):
            return after[0].names, after[0].every
    return (before[-1].names, before[-1].every) if before else ((), False)


_SIDES = re.compile(
    r"\b(?:versus|vs|against|compared|instead of|than|rather than"
    r"|(?<!ranges )(?<!range )(?<!ranging )(?<!spans )(?<!varies )(?<!vary )from)\b"
)


def unnamed_side(seen: Named, text: str) -> bool:
    """Whether a sentence compares, and names only one of the two sides."""
    named = {name for one in seen.runs for name in one.names}
    return len(named) == 1 and bool(_SIDES.search(text.lower()))


_PLAIN_OF = re.compile(r"(?<!that )(?<!those )\bof(?:\s+(?:the|in|for|its|with|run))*\s*$")
"""The metric "of" a run is its own; "that of" a run is what another's is compared with."""

_FROM_VALUE = re.compile(
    r"\bfrom[\s$(]+(?:about\s+)?(?:-?[\d.]+|[\ue101-\uf8ff])[\s$%]*(?:\+-\s*[\d.]+[\s$%]*)?(?:[a-z]+\s+)?"
    r"\(?(?:(?:in|for|with|under|at)\s+)?(?:the\s+)?(?:run\s+)?$"
)
"""Before the run whose value a change begins with: "falls from 1.01 in the baseline to 0.97"."""


def objects_of(seen: Named, text: str) -> tuple[int, ...]:
    """The runs that others are compared with: after "than", "over", "against"; without any, those after "of"."""
    return compared_objects(seen, text) or _after(seen, text, words.OBJECT)


def compared_objects(seen: Named, text: str) -> tuple[int, ...]:
    """The runs that words of a comparison stand before."""
    plain = _after(seen, text, _PLAIN_OF)
    found = (*_after(seen, text, words.OBJECT), *_after(seen, text, _FROM_VALUE))
    return tuple(dict.fromkeys(n for n in found if n not in plain))


def _after(seen: Named, text: str, pattern: re.Pattern[str]) -> tuple[int, ...]:
    return tuple(
        int(name)
        for one in seen.runs
        if pattern.search(text[max(0, one.start - 40) : one.start].lower())
        for name in one.names
    )
