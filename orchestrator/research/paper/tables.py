"""The tables of a paper, made by the program from the recorded results.

A model writes the marker of a table; the program replaces it with the table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from orchestrator.core.research import BASELINE, Run
from orchestrator.research.paper.floats import (
    Block,
    Table,
    TableRow,
    floats,
    printed_length,
    spaced,
)
from orchestrator.research.paper.latex import escape

RESULTS_MARKER = "RESULTS TABLE HERE"
RUNS_MARKER = "RUNS TABLE HERE"
_LONG = 16  # characters of a word that fits every cell
_PIECE = 10  # of one between two places where it may break

_WORDS = {"val": "validation", "acc": "accuracy", "avg": "average", "std": "deviation"}


def runs_table(runs: Iterable[Run]) -> str:
    """The description of each run, as recorded, under its name."""
    rows = [
        TableRow(
            rf"\raggedright {BASELINE if run.number == 0 else breakable(run.name)} & "
            rf"\raggedright {breakable(run.description)}",
            math.ceil(max(printed_length(run.name) / 22, printed_length(run.description) / 58, 1)),
        )
        for run in runs
    ]
    table = Table(
        caption="The runs, as they were described when they were made.",
        label="tab:runs",
        columns=r"p{0.25\linewidth}p{0.70\linewidth}",
        count=2,
        heading=("Run & What it tests",),
        blocks=(Block(tuple(rows)),),
        wide=True,
    )
    return "\n\n".join(spaced(floats(table)))


def breakable(text: str) -> str:
    """``text`` as LaTeX, in which a long word without blanks may break, so that its cell holds it."""
    return " ".join(_broken(word) if len(word) > _LONG else escape(word) for word in text.split())


def _broken(word: str) -> str:
    parts = (
        word[at : at + _PIECE] for word in re.findall(r"[^_=,./-]*[_=,./-]?", word)
        for at in range(0, len(word), _PIECE)
    )  # fmt: skip
    return r"\allowbreak{}".join(escape(part) for part in parts)


def metric_words(name: str) -> str:
    """``final_val_loss_mean`` as ``final validation loss``: a metric's name in prose."""
    parts = name.removesuffix("_mean").split("_")
    return " ".join(_WORDS.get(part, part) for part in parts)
