"""The runs that stand right beside a number by reference: those it is of, or it is another's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orchestrator.research.claims import words
from orchestrator.research.claims.mentions import NAME, Mention, Named
from orchestrator.research.claims.quantity import ONE_RUN, Quantity

_WHERE = r"(?:in|for|with|under|of|at|by)\s+(?:the\s+)?(?:run\s+)?"
_FOLLOWED = re.compile(rf"\s*\(?{_WHERE}(?={NAME})", re.IGNORECASE)
_OTHER_SIDE = re.compile(
    r"\s*(?:against|over|from|below|above|than|(?:compared|relative) (?:with|to))\s+"
    rf"(?:that\s+of\s+)?(?:the\s+)?(?:run\s+)?(?={NAME})",
    re.IGNORECASE,
)
_CLOSE_TO = re.compile(
    r"\b(?:difference|close|equal|similar|compared|near)\s+(?:to|from|with)\s+(?:(?:that|those)\s+(?:of|in)\s+)?"
    r"(?:the\s+)?$"
    r"|\b(?:higher|lower|larger|smaller|better|worse|more|less|longer|shorter)\s+than\s+(?:(?:that|those)\s+(?:of|in)\s+)?(?:the\s+)?$"
    r"|\btimes\s+(?:as\s+\w+\s+as\s+)?(?:(?:that|those)\s+(?:of|in)\s+)?(?:the\s+)?$"
)
_PART = re.compile(r"[;:]|,\s+(?:and|but|while|whereas)\b")
_OTHERS = re.compile(r"\b(?:like|unlike|as in|beside|besides|also|again|both|each|instead)\b")


def foreign_beside(marks: Sequence[tuple[int, Quantity]], seen: Named) -> Iterator[Quantity]:
    """The numbers whose nearest names are of runs that they are not of: the name that follows a number,
    the other side of a difference, and those between it and the number before.
    """
    start = 0
    for place, one in sorted(marks, key=lambda mark: mark[0]):
        own = {one.run} if one.against is None else {one.run, one.against}
        after = _name_after(place + 1, one, seen)
        part = max([start, *(cut.end() for cut in _PART.finditer(seen.masked, start, place))])
        before = [*_names_between(part, place, seen)]
        start = place + 1 if after is None else after.end
        if one.kind not in ONE_RUN and not one.pair:
            continue
        named = {number for name in before for number in _numbers(name)}
        aside = _OTHERS.search(seen.masked[part:place].lower()) or {one.run, one.against} <= named
        other = after is not None and not own & _numbers(after)
        own_side = one.pair and _is_own_other_side(one, before, after, seen)
        if other or own_side or (one.pair and not aside and named - own):
            yield one


def _is_own_other_side(
    one: Quantity, before: Sequence[Mention], after: Mention | None, seen: Named
) -> bool:
    """Whether a run is compared with itself: "lower than that of <run> by <run less another>"."""
    near = [*before, *([after] if after is not None else [])]
    if len(near) > 1 and len({name.names for name in near}) == 1:
        return True
    if any(one.against in _numbers(name) for name in near) or _compared_later(one, before, seen):
        return False
    return any(
        one.run in _numbers(name) and words.OBJECT.search(seen.masked[: name.start].lower())
        for name in before
    )


def _compared_later(one: Quantity, before: Sequence[Mention], seen: Named) -> bool:
    """Whether the other run of a difference stands behind it: "of <run> (…) is close to that of <other>"."""
    first = before[-1].end if before else 0
    return any(
        one.against in _numbers(name) and _CLOSE_TO.search(seen.masked[first : name.start].lower())
        for name in seen.runs
        if name.start > first and not name.every
    )


def _numbers(name: Mention) -> set[int]:
    return {int(number) for number in name.names}


def _name_after(at: int, one: Quantity, seen: Named) -> Mention | None:
    """The run's name right after a number; of a difference, also that of its other side."""
    for pattern in (_FOLLOWED, _OTHER_SIDE) if one.pair else (_FOLLOWED,):
        if match := pattern.match(seen.masked, at):
            found = [name for name in seen.runs if name.start == match.end() and not name.every]
            return found[0] if found else None
    return None


def _names_between(start: int, place: int, seen: Named) -> Iterator[Mention]:
    """The names of single runs between two places."""
    for name in seen.runs:
        if start <= name.start < place and len(name.names) == 1 and not name.every:
            yield name
