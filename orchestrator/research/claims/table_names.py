"""The runs, data sets and metrics that the heads and the caption of a table name."""

from __future__ import annotations

import re
from functools import lru_cache

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import AVERAGE, Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.naming import named
from orchestrator.research.paper.table_heads import TableCell

_AVERAGED = re.compile(r"\b(?:avg|average|averaged|mean|overall|macro)\b", re.IGNORECASE)


@lru_cache(2048)
def head_named(text: str, ledger: Ledger) -> Named:
    """What a head names."""
    return named(text, ledger)


def _parts(cell: TableCell) -> tuple[str, str, str]:
    """The texts that may name something, the nearest first."""
    return cell.row, cell.column, cell.block


def runs_of_cell(cell: TableCell, ledger: Ledger) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The runs of a cell, and those that it compares them with."""
    found = [runs_in_head(text, ledger) for text in _parts(cell)]
    row, column, block = found
    if row and column and not set(row) & set(column):
        return row, column
    own = tuple(n for n in row if n in column) if row and column else (row or column or block)
    return own or _only(runs_in_head(cell.caption, ledger)), ()


def _only(found: tuple[int, ...]) -> tuple[int, ...]:
    return found if len(found) == 1 else ()


def runs_in_head(text: str, ledger: Ledger) -> tuple[int, ...]:
    """The runs that a head names, without those of "all runs"."""
    rows = (one for one in head_named(text, ledger).runs if not one.every)
    return tuple(dict.fromkeys(int(n) for one in rows for n in one.names))


def _data_in(text: str, ledger: Ledger) -> tuple[str, ...]:
    found = dict.fromkeys(
        n for one in head_named(text, ledger).data if not one.every for n in one.names
    )
    return tuple(found) or _by_a_part(text, ledger)


_PART = re.compile(r"[A-Za-z]{5,}")


def _by_a_part(text: str, ledger: Ledger) -> tuple[str, ...]:
    """The data set of whose name a head has a part that no other's has: Shakespeare for shakespeare_char."""
    said = {one.lower() for one in _PART.findall(text)}
    own = {
        name: {one.lower() for one in _PART.findall(name.replace("_", " "))}
        for name in ledger.datasets
    }
    every = [part for parts in own.values() for part in parts]
    return tuple(
        name
        for name, parts in own.items()
        if any(one in said and every.count(one) == 1 for one in parts)
    )


def data_of_cell(cell: TableCell, ledger: Ledger) -> tuple[str, ...]:
    """The data sets that its heads allow; of the caption's, where they name none."""
    found = [known for text in _parts(cell) if (known := _data_in(text, ledger))]
    if found:
        both = tuple(n for n in found[0] if all(n in other for other in found))
        return both or found[0]
    caption = _data_in(cell.caption, ledger)
    caption = caption if len(caption) == 1 else ()
    if any(_AVERAGED.search(text) for text in (cell.column, cell.row)):
        return (AVERAGE, *(caption or (ledger.datasets if len(ledger.datasets) == 1 else ())))
    return caption


def metrics_of_cell(cell: TableCell, ledger: Ledger) -> tuple[str, ...]:
    """The metrics that the words of the heads allow; of the caption's, where the heads name something else."""
    found = [known for text in _parts(cell) if (known := metrics_under(text, ledger))]
    if found:
        both = tuple(n for n in found[0] if all(n in other for other in found))
        return both or found[0]
    heads = f"{cell.column} {cell.row}" if cell.column else ""
    column = cell.column
    named_there = _data_in(column, ledger) or runs_in_head(column, ledger) or cell.seed is not None
    return metrics_under(cell.caption, ledger) if heads and named_there else ()


@lru_cache(2048)
def metrics_under(head: str, ledger: Ledger) -> tuple[str, ...]:
    """The metrics that share most words with a head; none where no metric shares one."""
    text, seen = head, head_named(head, ledger)
    for one in (*seen.runs, *seen.data):  # the digits of a metric's own name stay
        blank = "" if one.alias else " " * (one.end - one.start)
        text = text[: one.start] + (blank or text[one.start : one.end]) + text[one.end :]
    said = {words.plain_form(one) for one in re.findall(r"[A-Za-z]+|\d+", text)}
    scores: dict[str, int] = {}
    for metric in ledger.metrics:
        own = set(words.words_of(metric.name)) - words.OPTIONAL
        scores[metric.name] = len(own & said)
    most = max(scores.values(), default=0)
    if not most:
        return ()
    best = [name for name, score in scores.items() if score == most]
    # "validation accuracy" is no "validation accuracy 090", which has a word more
    whole = [n for n in best if set(words.words_of(n)) - words.OPTIONAL <= said]
    best = whole or best
    later = [name for name in best if "initial" not in words.words_of(name)]
    return tuple(best if "initial" in said else (later or best))
