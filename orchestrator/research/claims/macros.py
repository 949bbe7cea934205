r"""Numbers by reference: an author names a quantity, the program prints it.

``\val{run}{data set}{metric}`` and its kind stand in an author's text. The program replaces each by
``\measured{id}{target}{digits}``: rightly rounded, with its error and unit, linked to the table of all
results. The id says which quantity it is, so that the digits can be printed again from the record and
compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from orchestrator.research.claims.digits import printed, unit_of
from orchestrator.research.claims.identity import identified, identity, target
from orchestrator.research.claims.ledger import (
    Ledger,
)
from orchestrator.research.claims.quantity import (
    ARGUMENTS,
    Quantity,
    UnknownQuantity,
    reference,
)
from orchestrator.research.paper.latex import closing

_MACRO = re.compile(
    rf"\\({'|'.join(sorted(ARGUMENTS, key=len, reverse=True))})(?![A-Za-z])\s*(?=\{{)"
)


MEASURED = re.compile(r"\\measured\{([^{}]{1,200})\}\{([^{}]{0,80})\}(?=\{)")


MARK = 0xE200
"""The first of the characters that stand for references in a text that is read."""


FILLER = "\ue1ff"
"""Fills the place of a macro behind its character; no reader sees it."""


def rendered(tex: str, ledger: Ledger, *, plain: bool = False) -> tuple[str, tuple[str, ...]]:
    """``tex`` with every macro as its digits, and the texts of what is wrong with macros in it.
    ``plain``: without links, as for a title.
    """
    parts, problems, at = [], list[str](), 0
    for start, end, kind, arguments in macros_in(tex):
        try:
            one = reference(kind, arguments, ledger)
            digits = printed(one, ledger)
        except UnknownQuantity as error:
            problems.append(f"{tex[start:end][:160]}: {error}")
            continue
        if kind == "points" and re.match(r"\s*(?:\\%|percent\b)", tex[end:]):
            problems.append(
                f"{tex[start:end][:160]} is followed by a percent sign: write points, or \\change"
            )
        parts += [tex[at:start], digits if plain else _linked(one, digits, ledger)]
        at = _without_unit(tex, end, one, ledger)
    if MEASURED.search(tex):
        problems.append(r"\measured is written by the program alone: use \val and its kind")
    return "".join([*parts, tex[at:]]), tuple(problems)


def macros_in(tex: str) -> Iterator[tuple[int, int, str, list[str]]]:
    """Every macro of a text: where it begins and ends, its kind, its arguments."""
    at = 0
    while match := _MACRO.search(tex, at):
        arguments, end = list[str](), match.end()
        for _ in ARGUMENTS[match[1]]:
            opening = re.compile(r"\s*\{").match(tex, end)
            if opening is None:
                break
            close = closing(tex, opening.end() - 1)
            arguments.append(tex[opening.end() : close])
            end = close + 1
        yield match.start(), end, match[1], arguments
        at = end


def _linked(one: Quantity, digits: str, ledger: Ledger) -> str:
    return rf"\measured{{{identity(one, ledger)}}}{{{target(ledger, one)}}}{{{digits}}}"


def _without_unit(tex: str, end: int, one: Quantity, ledger: Ledger) -> int:
    """Where the text goes on: a unit that an author wrote after a number that has one is left out."""
    unit = unit_of(one, ledger).lstrip("~")
    if one.kind in {"pct", "change"}:
        again = re.compile(r"\s*(?:\\%|percent\b)").match(tex, end)
        return again.end() if again else end
    again = (
        re.compile(rf"[\s~]*{re.escape(unit)}\b", re.IGNORECASE).match(tex, end) if unit else None
    )
    return again.end() if again else end


def marked(tex: str, ledger: Ledger) -> tuple[str, dict[str, Quantity], tuple[str, ...]]:
    r"""``tex`` with one character in place of every macro and every ``\measured``, followed by fillers
    so that all other text stays at its place; what each character stands for; and what is wrong: an id
    of nothing, digits that the record does not print, a macro of something that was not measured.
    """
    found, problems = dict[str, Quantity](), list[str]()
    parts, at = [], 0
    spans = sorted([*_printed_spans(tex, ledger, problems), *_macro_spans(tex, ledger, problems)],
                   key=lambda span: span[0])  # fmt: skip
    for start, end, one in spans:
        if start >= at:
            mark = chr(MARK + len(found) % 0x1500)
            found[mark] = one
            parts += [tex[at:start], mark, FILLER * (end - start - 1)]
            at = end
    return "".join([*parts, tex[at:]]), found, tuple(problems)


def with_compared(ledger: Ledger, texts: Iterable[str]) -> Ledger:
    """The ledger with the pairs of runs that these texts compare by reference in a headline metric."""
    pairs = {
        (max(one.run, one.against), min(one.run, one.against))
        for tex in texts
        for one in marked(tex, ledger)[1].values()
        if one.pair and one.against is not None and one.metric in ledger.headline
    }
    return replace(ledger, compared=tuple(sorted(pairs)))


def _printed_spans(
    tex: str, ledger: Ledger, problems: list[str]
) -> Iterator[tuple[int, int, Quantity]]:
    for match in MEASURED.finditer(tex):
        end = closing(tex, match.end())
        digits = tex[match.end() + 1 : end]
        one = identified(match[1], ledger)
        if one is not None and _prints(one, digits, ledger):
            yield match.start(), end + 1, one
        else:
            problems.append(f"{digits!r} is not what the record prints for {match[1]!r}")


def _macro_spans(
    tex: str, ledger: Ledger, problems: list[str]
) -> Iterator[tuple[int, int, Quantity]]:
    for start, end, kind, arguments in macros_in(tex):
        try:
            one = reference(kind, arguments, ledger)
            printed(one, ledger)
        except UnknownQuantity as error:
            problems.append(f"{tex[start:end][:160]}: {error}")
        else:
            yield start, _without_unit(tex, end, one, ledger), one


def _prints(one: Quantity, digits: str, ledger: Ledger) -> bool:
    try:
        return printed(one, ledger) == digits
    except UnknownQuantity:
        return False
