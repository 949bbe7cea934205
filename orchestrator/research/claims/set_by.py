"""Whose a setting is: a number that a run's code has is no setting of another run, whose code has another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from orchestrator.research.claims.ledger import CodeSetting, Ledger
from orchestrator.research.claims.lists import paired_names, zipped_run
from orchestrator.research.claims.mentions import Mention, Named
from orchestrator.research.claims.printed import Printed, printed_numbers
from orchestrator.research.claims.scope import attached_after, objects_of

_BEFORE_IT = re.compile(
    r"\b(?:from|instead of|rather than|in place of|not|than|over|against|versus|vs\.?|default(?:s)? (?:of|is|was|to)|usual)\s*"
    r"(?:(?:the|a|an|its|usual|default|original|previous)\s+)*(?:[a-z][a-z-]*\s+(?:of|=)\s+)?[\s$(]*$"
)
"""Behind these words stands what a run was made from."""
_COMPARED = re.compile(
    r"\b(?:than|over|against|versus|vs\.?|(?:compared|relative|contrast) (?:with|to)|unlike|from|beats?|exceeds?|outperforms?|above|below"
    r"|except|apart from|other than|besides|but (?:for|in))"
    r"(?:\s+(?:that|those|the|in|of|for|its))*\s*$"
)
_CHANGES = re.compile(
    r"\b(?:rais\w+|lower\w*|increas\w+|decreas\w+|reduc\w+|chang\w+|replac\w+|doubl\w+|halv\w+|tripl\w+|cut\w*|drop\w*|mov\w+|set|to)\b"
)
_OTHER_CLAUSE = re.compile(r"[;:]|\b(?:while|whereas|but|except|unless|apart from)\b")
_THEN = re.compile(
    r"^[^.;]{0,30}?\b(?:to|by|with|into)\b[\s$(]*(?:\w+\s+){0,2}[\s$(]*\d|^\s*(?:->|→)"
)


def setting_holder(number: Printed, seen: Named, ledger: Ledger) -> Callable[[CodeSetting], bool]:
    """Whether a setting may be the one that a number states: it is of one of the runs that the sentence says it of,
    or of every run.
    """
    runs, every = _runs_of(number, seen, ledger)
    if not runs:
        return lambda _one: True

    def fits(one: CodeSetting) -> bool:
        if not _varies(one.name, ledger):
            return True
        have = [_has(run, one, ledger) for run in runs]
        return all(have) if every else any(have)

    return fits


@lru_cache(4096)
def _varies(name: str, ledger: Ledger) -> bool:
    """Whether the runs have other values under a name."""
    known = [_values(run, name, ledger) for run in ledger.numbers]
    return bool(name) and all(known) and len(set(known)) > 1


@lru_cache(8192)
def _values(run: int, name: str, ledger: Ledger) -> frozenset[float]:
    return frozenset(one.value for one in ledger.run_settings.get(run, ()) if one.name == name)


def _has(run: int, one: CodeSetting, ledger: Ledger) -> bool:
    return one.value in _values(run, one.name, ledger)


def _runs_of(number: Printed, seen: Named, ledger: Ledger) -> tuple[tuple[int, ...], bool]:
    """The runs that a number of a sentence may be of, and whether it is said of each; none where none is named."""
    seen = replace(seen, runs=tuple(one for one in seen.runs if not one.alias))
    if not any(one.names for one in seen.runs):
        return (), False
    text = seen.masked
    each = paired_names(seen).get((number.start, "run"))
    zipped = zipped_run(number.start, seen)
    if each or zipped:
        return tuple(map(int, each or (zipped or "",))), False
    bases = _bases(seen, ledger)
    if _BEFORE_IT.search(text[max(0, number.start - 60) : number.start].lower()):
        return bases, False
    if (after := attached_after(seen.runs, number.end, text)) is not None:
        return _numbers(after), after.every
    ends = [one.end for one in printed_numbers(text) if one.end <= number.start]
    start = max(max(ends, default=0), text.rfind(";", 0, number.start))
    before = [one for one in seen.runs if one.start < number.start]
    since = [one for one in before if one.start >= start] or before[-1:]
    own = attached_after(before, max(ends, default=0), text) if ends else None
    if own is not None and own in since:
        # "0.3 (run 1) and 0.2 (run 2)": the name before may be of the number before
        since += [one for one in seen.runs if one.start >= number.end][:1]
    return _said_of(since, number, seen, bases)


def _said_of(
    since: Sequence[Mention], number: Printed, seen: Named, bases: tuple[int, ...]
) -> tuple[tuple[int, ...], bool]:
    """The runs named before a number, ``since`` the number before it; where none is, the one that follows."""
    text = seen.masked
    first = since or [one for one in seen.runs if one.start >= number.end][:1]
    own = [one for one in first if not _is_compared(one, text)]
    if not own or not all(one.names for one in own):
        return (), False  # of a run that is described, and not named
    passed = text[number.end : own[0].start].lower()
    if _OTHER_CLAUSE.search(passed):
        return (), False
    changed = _THEN.match(text[number.end :].lower()) if since else _CHANGES.search(passed)
    named = tuple(dict.fromkeys(n for one in own for n in _numbers(one)))
    return (*named, *(bases if changed else ())), len(own) == 1 and own[0].every and not changed


def _is_compared(one: Mention, text: str) -> bool:
    """Whether a run is only what another is compared with: "better than the baseline"."""
    owns = text[one.end :].startswith(("'s", "’s"))
    return not owns and bool(_COMPARED.search(text[max(0, one.start - 40) : one.start].lower()))


def _bases(seen: Named, ledger: Ledger) -> tuple[int, ...]:
    """What the named runs were made from, and what they are compared with."""
    named = {n for one in seen.runs for n in _numbers(one)}
    return tuple(
        dict.fromkeys((0, *objects_of(seen, seen.masked), *(ledger.run(n).base for n in named)))
    )


def _numbers(one: Mention) -> tuple[int, ...]:
    return tuple(map(int, one.names))
