"""Lists that are numbered by hand, "(1) … (2) …": the numbers of their items are no quantities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ITEM = r"(?:^|(?<=[.;:,!?])|(?<=\band)|(?<=\bor)|(?<=\bby)|(?<=\bare)|(?<=\bthat)|(?<=[—-]))\W*?"
_LABEL = re.compile(
    rf"{_ITEM}(?:\((?P<inside>\d{{1,2}})\)|(?<![\w.(+-])(?P<closed>\d{{1,2}})\)|(?<![\w.(+-])(?P<dotted>\d{{1,2}})[.:](?=[\s\]]|$))(?=$|[\s\]\"'`.,:]+\S)"
)
_FREE = re.compile(r"\((?P<inside>\d{1,2})\)(?=\s+[A-Za-z])")
"""A number in brackets that may stand anywhere, where the one before it was a label: "and compare (2) the time"."""
_COUNTS = re.compile(
    r"\W+(?:%|percent|points?|(?:random\s+)?seeds|layers|heads|runs|data\s?sets|tasks|models|updates|epochs|steps|iterations"
    r"|seconds|minutes|hours|s|ms|nats|bits)\b"
)
_NAMED = re.compile(
    r"\b(?:(?:[Ff]inding|[Oo]bservation|[Hh]ypothesis|[Cc]ontribution|[Tt]akeaway|[Cc]laim|[Ll]esson|[Aa]ssumption|[Rr]emark|[Cc]onclusion"
    r"|[Rr]esearch [Qq]uestion)s?|Experiment|Question|Phase|Stage|Step|Part|Point|Item|Case|Condition|Result|Ablation|Study|Insight)"
    r"\s+#?(?P<number>\d{1,2})(?![\w%.]*\d|\s?%)"
)
"""A thing by its number: "Finding 2", and not "at step 2"."""


@dataclass(frozen=True, slots=True)
class _Label:
    """A number that may be that of an item. ``first``: it begins its sentence."""

    row: int
    start: int
    end: int
    value: int
    form: str
    first: bool
    counts: bool  # what follows is what it counts


def without_labels(texts: Sequence[str]) -> list[str]:
    """The sentences of a section, with blanks in place of the numbers that items have."""
    cut = [[*text] for text in texts]
    for one in _labels(texts):
        for at in range(one.start, one.end):
            cut[one.row][at] = " "
    for row, text in enumerate(texts):
        for match in _NAMED.finditer(text):
            if not _COUNTS.match(text, match.end()):
                for at in range(*match.span("number")):
                    cut[row][at] = " "
    return ["".join(one) for one in cut]


def _labels(texts: Sequence[str]) -> Iterator[_Label]:
    """The numbers that stand in their order, 1, 2, …, in one form; a 1 in mid-sentence where a 2 follows."""
    found = [one for row, text in enumerate(texts) for one in _candidates(row, text)]
    last = dict[str, int]()
    for one, after in zip(found, _values_after(found), strict=True):
        follows = one.value == last.get(one.form, 0) + 1 and one.value > 1
        begins = one.value == 1 and ((one.first and not one.counts) or after == 2)
        alone = one.first and one.form == "inside" and not one.counts  # its list begins elsewhere
        if follows or begins or alone:
            last[one.form] = one.value
            yield one


def _values_after(found: Sequence[_Label]) -> list[int]:
    """The number of the next item in the same form, of each."""
    later, values = dict[str, int](), list[int]()
    for one in reversed(found):
        values.append(later.get(one.form, 0))
        later[one.form] = one.value
    return values[::-1]


def _candidates(row: int, text: str) -> Iterator[_Label]:
    at = 0
    while match := _LABEL.search(text, at) or _FREE.search(text, at):
        free = _FREE.search(text, at)
        if free and free.start("inside") < match.start(match.lastgroup or 0):
            match = free
        form = match.lastgroup or "inside"
        start, end = match.span(form)
        first = not text[:start].strip(" (*\"'`")
        counts = _COUNTS.match(text, end) is not None
        yield _Label(row, start, end, int(match[form]), form, first, counts)
        at = end + 1
