"""What is said of all runs, or of none, beside one of them: "no run has a lower loss than run 2", "every run but run 4
is above the baseline", "it is below all others".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import Ledger, Side
from orchestrator.research.claims.mentions import NAME, Mention, Named
from orchestrator.research.claims.quantity import Quantity
from orchestrator.research.claims.said import Said, holds
from orchestrator.research.claims.scope import Context
from orchestrator.research.claims.some_runs import runs_spoken_of

_CHANGED = r"variants?|versions?|changes?|interventions?|modifications?"
_NOUN = rf"(?:runs?|models?|settings?|configurations?|methods?|ones?|{_CHANGED})\b"
_KIND = r"(?:(?:single|other|changed|remaining)\s+)?"
_COUNT = rf"(?:(?:{'|'.join(words.NUMBER_WORDS)}|\d{{1,2}})\s+)?"
_NONE = re.compile(
    rf"\b(?:no\s+{_KIND}{_NOUN}|none\s+of\s+(?:the\s+|our\s+|these\s+){_COUNT}{_KIND}{_NOUN}|none\b(?!\s+of\b)|nothing\b)"
)
_EVERY = re.compile(
    rf"(?<!not )(?<!nearly )(?<!almost )\b(?:(?:all|every|each)\s+(?:of\s+)?(?:the\s+|our\s+)?{_COUNT}{_KIND}{_NOUN}"
    r"|all\s+(?:the\s+)?(?P<others>others))"
)
_PART = re.compile(
    r"[;:]|,\s+(?:and|but|yet|so|while|whereas|although|though|which|with)\b|\s+(?:while|whereas|although|though|because|since)\b"
    r"|\s+and\s+(?=(?:it|its|that|this|these|those|they|no|none|all|every|each)\b)|\.\s"
)
_OF_SOME = re.compile(
    r"\s*,?\s*(?:with|that|which|at|under|on|of|trained|run|whose|using|made|in|from|for|where|without|after|before|beside|among)\b"
)
"""Behind the noun: it is said of some of the runs, and which these are no name says."""
_EXCEPT = re.compile(
    rf"\s*,?\s*\(?(?:except(?:\s+for)?|but|apart\s+from|other\s+than|besides|save(?:\s+for)?|excluding|with\s+the\s+exception\s+of)"
    rf"\s+(?:the\s+|that\s+of\s+)*(?P<names>{NAME}+(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?:the\s+)?{NAME}+)*)[,)]?"
)
_OTHER = re.compile(
    rf"\b(?:than|over|against|above|below|beats?|exceeds?|outperforms?|improves?\s+(?:up)?on)\s+"
    rf"(?:(?:that|those|the|of|in|for|by|from|is|a|[-\d.%$\ue200-\uf8ff]+|mean|value)\s+|\S*[\ue200-\uf8ff]\S*\s+){{0,7}}(?={NAME})"
    rf"|\b(?:than|above|below|exceeds?|reaches|attains|improves?(?:\s+on)?|lowers?|raises?|reduces?|increases?|decreases?|worsens?)\s+(?:the|its)\s+"
    rf"(?:[\w-]+\s+){{1,4}}of\s+(?:the\s+)?(?={NAME})"
)
_BY = re.compile(r"\bby\b|\btimes\b|\bas\s+(?:much|many|large|high|low|small)\s+as\b")
_REACHES = re.compile(r"^\s*(?:reaches|attains)\b")
_ONLY = re.compile(
    rf"\bonly\s+(?:the\s+)?(?P<names>{NAME}+(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?:the\s+)?{NAME}+)*)\s+(?=(?:has|have|is|are|shows?|reach\w*|improv\w*|lowers?|raises?|beats?)\b)"
)
_SIDES: tuple[Side, ...] = ("up", "down", "better", "worse")


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a sentence that says it: from the words that count the runs to its end."""

    start: int
    end: int
    none: bool
    changed: bool
    left_out: tuple[int, ...]
    excepted: tuple[int, ...]  # those left out of which the opposite is said
    rest: int  # where what is said of them begins


def comparison_with_one(
    text: str, seen: Named, marks: Sequence[tuple[int, Quantity]], ledger: Ledger, context: Context
) -> Iterator[tuple[int, int, list[str]]]:
    """Where a sentence compares all runs, or none of them, with one, and what is wrong there."""
    single = [one for one in seen.runs if not one.every and len(one.names) == 1]
    plain = text
    for one in single:
        plain = plain[: one.start] + NAME * (one.end - one.start) + plain[one.end :]
    plain = plain.lower()
    for part in (*_parts(plain, single, ledger), *_only(plain, single)):
        here = plain[part.rest : part.end]
        other = _OTHER.search(plain, part.rest, part.end)
        found = [one for one in single if part.rest <= one.start < part.end]
        if other is None or len({one.names for one in found}) != 1 or _BY.search(here):
            continue
        if found[0].start != other.end() or words.NEGATED.search(here):
            continue
        said = _what_is_said(here)
        places = [*_places(part, seen, marks, ledger, context)]
        if said is None or not places:
            continue
        right = _is_right(part, said, int(found[0].names[0]), places, ledger)
        runs = "no run" if part.none else "every run"
        wrong = (
            f"{said.word!r} is not so of {runs} beside {ledger.run(int(found[0].names[0])).label}"
        )
        yield part.start, part.end, [] if right else [wrong]


def _parts(plain: str, single: Sequence[Mention], ledger: Ledger) -> Iterator[_Part]:
    for pattern, none in ((_NONE, True), (_EVERY, False)):
        for match in pattern.finditer(plain):
            rest, left_out = match.end(), tuple[int, ...]()
            if match.groupdict().get("others"):
                named = [one for one in single if one.start < match.start()]
                left_out = tuple(int(one.names[0]) for one in named)
            if (out := _EXCEPT.match(plain, rest)) is not None:
                rest = out.end()
                first, last = out.span("names")
                left_out = tuple(int(one.names[0]) for one in single if first <= one.start < last)
            elif _OF_SOME.match(plain, rest):
                some = runs_spoken_of(plain[rest : rest + 40], rest, (), ledger)
                if some is None or len(some) == len(ledger.runs):
                    continue
                left_out = tuple(n for n in ledger.numbers if n not in some)
            cut = _PART.search(plain, rest)
            told = f" {match[0]}"
            changed = bool(re.search(rf"\bchanged\b|\b(?:{_CHANGED})\b", told))
            end = cut.start() if cut else len(plain)
            excepted = left_out if out is not None else ()
            yield _Part(match.start(), end, none, changed, left_out, excepted, rest)


def _only(plain: str, single: Sequence[Mention]) -> Iterator[_Part]:
    """For "only run 4 has a higher loss than the baseline": no run but that one."""
    for match in _ONLY.finditer(plain):
        first, last = match.span("names")
        out = tuple(int(one.names[0]) for one in single if first <= one.start < last)
        cut = _PART.search(plain, match.end())
        end = cut.start() if cut else len(plain)
        yield _Part(
            start=match.start(),
            end=end,
            none=True,
            changed=False,
            left_out=out,
            excepted=out,
            rest=match.end(),
        )


def _what_is_said(here: str) -> Said | None:
    """The one side that the words name, and whether they call it clear."""
    if _REACHES.search(here):
        return Said("reaches", ("better",), none=False, clear=False)
    sides = [side for side in _SIDES if words.CHANGES[side].search(here)]
    if len(sides) != 1 or words.NO_DIFFERENCE.search(here):
        return None
    match = words.CHANGES[sides[0]].search(here)
    clear = words.CLEAR_WORD.search(here) is not None
    return Said(match[0] if match else "", (sides[0],), none=False, clear=clear)


def _places(
    part: _Part,
    seen: Named,
    marks: Sequence[tuple[int, Quantity]],
    ledger: Ledger,
    context: Context,
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each metric that it may be said of, with the data sets where it is."""
    here = range(part.start, part.end)
    named = [one for one in seen.metrics if one.start in here and not one.weak]
    own = [one for place, one in marks if place in here and one.metric]
    if len({one.names for one in named}) > 1:
        return
    metrics = named[0].names if named else tuple(one.metric for one in own)
    if not metrics:
        before = [one for one in seen.metrics if one.start < part.start and not one.weak]
        metrics = before[-1].names if before else context.metrics
    data = tuple(name for one in seen.data if one.start in here for name in one.names)
    data = data or tuple(one.data for one in own)
    data = data or tuple(name for one in seen.data for name in one.names) or context.data
    for metric in dict.fromkeys(metrics):
        measured = tuple(
            one
            for one in dict.fromkeys(data or ledger.datasets)
            if any((run, one, metric) in ledger.cells for run in ledger.numbers)
        )
        if measured and data:
            yield metric, measured
        elif measured:
            yield from ((metric, (one,)) for one in measured)


def _is_right(
    part: _Part,
    said: Said,
    other: int,
    places: Sequence[tuple[str, tuple[str, ...]]],
    ledger: Ledger,
) -> bool:
    """Whether it holds at one of the places, on each data set that is named there."""

    def on_side(run: int, metric: str, data: str) -> bool | None:
        found = ledger.difference(run, other, data, metric)
        return None if found is None else holds(found, metric, said, ledger)

    for metric, data in places:
        for runs in _groups(part, other, ledger):
            held = [on_side(run, metric, one) for run in runs for one in data]
            out = [on_side(run, metric, one) for run in part.excepted for one in data]
            known = [one for one in held if one is not None]
            fits = not any(known) if part.none else all(known)
            apart = all(out) if part.none else not any(out)
            if not known or (fits and apart):
                return True
    return False


def _groups(part: _Part, other: int, ledger: Ledger) -> Iterator[tuple[int, ...]]:
    """The runs that it is said of; "every run" may leave the baseline out, "no run" does not."""
    runs = tuple(n for n in ledger.numbers if n != other and n not in part.left_out)
    changed = tuple(n for n in runs if n)
    if part.changed:
        yield changed
        return
    yield runs
    if not part.none:
        yield changed
