"""Which of the runs a sentence speaks of where it leaves others out: "at 480 updates", "after run 5"."""

from __future__ import annotations

import re

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Mention

_SET = re.compile(
    rf"\b(?:at|with|of|on|after|for|in|using)\s+(?P<count>\d+(?:\.\d+)?|{'|'.join(words.NUMBER_WORDS)})\s+(?P<noun>[a-z]+)"
)
_SOME = re.compile(
    r"\b(?:among|of|in)\s+(?:all\s+)?(?:the\s+|our\s+)?(?:\w+\s+)?(?:runs|models|variants|ones|those)\s+(?:with|at|that|which|trained|of|without)\b"
    r"|\bwithout\s+(?:a|an|the|any)\b"
)
_LEFT_OUT = re.compile(
    r"\b(?:after|behind|next\s+to|besides?|except|apart\s+from|other\s+than|but)\s+(?:that\s+of\s+)?(?:the\s+)?(?:run\s+)?$"
)


def runs_spoken_of(
    text: str, start: int, mentions: tuple[Mention, ...], ledger: Ledger
) -> tuple[int, ...] | None:
    """The runs that ``text`` does not leave out, ``start`` being its place among the ``mentions``; None where it
    leaves some out and does not say which. In the text the names of runs are masked.
    """
    runs = ledger.numbers
    sets = [*_SET.finditer(text.lower())]
    found = [some for match in sets if (some := _with_setting(match, ledger))]
    if _SOME.search(text.lower()) and not found:
        return None
    for some in found:
        runs = tuple(n for n in runs if n in some)
    out = {
        int(one.names[0])
        for one in mentions
        if len(one.names) == 1
        and one.start >= start
        and _LEFT_OUT.search(text[: one.start - start].lower())
    }
    return tuple(n for n in runs if n not in out)


def _with_setting(match: re.Match[str], ledger: Ledger) -> tuple[int, ...]:
    """The runs whose setting of that name has this value; none where no setting has it, or all runs have it."""
    said = match["count"]
    value = float(words.NUMBER_WORDS[said]) if said in words.NUMBER_WORDS else float(said)
    noun = words.plain_form(match["noun"])
    some = tuple(
        run
        for run in ledger.numbers
        if any(
            one.value == value and noun in words.words_of(one.name)
            for one in ledger.run_settings.get(run, ())
        )
    )
    return some if len(some) < len(ledger.runs) else ()
