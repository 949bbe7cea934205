"""A text with its numbers as printed, each followed by the quantity that it is, for a reader who checks it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.research.claims.digits import printed
from orchestrator.research.claims.identity import identified
from orchestrator.research.claims.ledger import AVERAGE, Ledger
from orchestrator.research.claims.macros import MEASURED, macros_in
from orchestrator.research.claims.quantity import Quantity, UnknownQuantity, reference
from orchestrator.research.paper.latex import closing


def glossed(tex: str, ledger: Ledger) -> str:
    """``tex`` with every macro and every printed number as its digits and ``⟦kind: run; data set; metric⟧``. What
    names nothing stays as it is written.
    """
    parts, at = [], 0
    for start, end, digits, what in sorted([*_macros(tex, ledger), *_printed(tex, ledger)]):
        if start >= at:
            parts += [tex[at:start], f"{digits} ⟦{what}⟧"]
            at = end
    return "".join([*parts, tex[at:]])


def _macros(tex: str, ledger: Ledger) -> Iterator[tuple[int, int, str, str]]:
    for start, end, kind, arguments in macros_in(tex):
        try:
            digits = printed(reference(kind, arguments, ledger), ledger)
        except UnknownQuantity:
            continue
        yield start, end, digits, f"{kind}: {'; '.join(arguments)}"


def _printed(tex: str, ledger: Ledger) -> Iterator[tuple[int, int, str, str]]:
    for match in MEASURED.finditer(tex):
        one = identified(match[1], ledger)
        end = closing(tex, match.end())
        if one is not None:
            yield match.start(), end + 1, tex[match.end() + 1 : end], _quantity(one, ledger)


def _quantity(one: Quantity, ledger: Ledger) -> str:
    runs = [] if one.kind in {"seeds", "setting"} else [ledger.run(one.run).name]
    if one.against is not None and one.against in ledger.numbers:
        runs.append(ledger.run(one.against).name)
    data = "mean" if one.data == AVERAGE else one.data
    parts = [*runs, data, one.metric, one.with_metric, one.name]
    return f"{one.kind}: {'; '.join(filter(None, parts))}"
