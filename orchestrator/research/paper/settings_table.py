"""The table of settings: the constants of the code at the study's scale, seeds, what each run changed."""

from __future__ import annotations

import math
import re

from orchestrator.research.claims.ledger import CodeSetting, KnownRun, Ledger
from orchestrator.research.paper.cells import printed_setting, run_name, seeds_of
from orchestrator.research.paper.floats import (
    Block,
    Table,
    TableRow,
    floats,
    printed_length,
)
from orchestrator.research.paper.tables import breakable

_NAME = re.compile(r"[A-Za-z_]\w{3,}")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]{3,}")
_COLUMNS = r"p{0.26\linewidth}lp{0.58\linewidth}"


def settings_table(ledger: Ledger) -> str:
    """Settings with value and comment, the seeds of each data set, then the settings that each run
    changed; empty if there is nothing to show.
    """
    shown = _shown(ledger)
    rows = [_setting(one) for one in shown]
    known = {one.name for one in shown}
    changed = {run.number: _changed(run, known) for run in ledger.runs}
    seeds = [
        _seeds(dataset, counts)
        for dataset in ledger.datasets
        if (counts := seeds_of(ledger, dataset))
    ]
    if not rows and not seeds and not any(changed.values()):
        return ""
    runs = [_run(run, changed[run.number]) for run in ledger.runs if run.number]
    blocks = [Block(tuple(rows))] if rows else []
    if seeds:
        blocks.append(Block(tuple(seeds), "Seeds"))
    if runs:
        blocks.append(Block(tuple(runs), "Changed by a run"))
    table = Table(
        caption="Settings in the code, seeds of each data set, and what each run changed.",
        label="tab:settings",
        columns=_COLUMNS,
        count=3,
        heading=("Setting & Value & Meaning",),
        blocks=tuple(blocks),
        wide=True,
        stays=True,
    )
    return "\n\n".join(floats(table))


def _shown(ledger: Ledger) -> tuple[CodeSetting, ...]:
    """The settings of the baseline that a reader needs: constants and fields whose whole value is a
    number, once each. A short name is one where a run changed it.
    """
    varied = {one.name for run in ledger.runs for one in run.changed if one.name.isupper()}
    found = {one.name: one for one in reversed(ledger.base_settings) if one.whole}
    return tuple(
        found[name]
        for name in dict.fromkeys(one.name for one in ledger.base_settings)
        if name in found and (_NAME.fullmatch(name) or name in varied)
    )


def _changed(run: KnownRun, known: set[str]) -> list[CodeSetting]:
    """What a run changed among the settings shown, and other constants to which it gave one value."""
    names = [one.name for one in run.changed]
    return [
        one
        for one in run.changed
        if names.count(one.name) == 1 and (one.name in known or _CONSTANT.fullmatch(one.name))
    ]


def _setting(one: CodeSetting) -> TableRow:
    name, about = rf"\texttt{{{breakable(one.name)}}}", breakable(one.about)
    lines = math.ceil(max(printed_length(name) / 20, printed_length(about) / 46, 1))
    return TableRow(
        rf"\raggedright {name} & {printed_setting(one.value)} & \raggedright {about}", lines
    )


def _seeds(dataset: str, counts: tuple[int, ...]) -> TableRow:
    count = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    return TableRow(rf"\raggedright \texttt{{{breakable(dataset)}}} & {count} & seeds of a run")


def _run(run: KnownRun, changed: list[CodeSetting]) -> TableRow:
    said = [rf"\texttt{{{breakable(one.name)}}} = {printed_setting(one.value)}" for one in changed]
    text = ", ".join(said) or "none of these settings"
    lines = math.ceil(max(printed_length(run.name) / 22, printed_length(text) / 50, 1))
    return TableRow(
        rf"\raggedright {run_name(run)} & \multicolumn{{2}}{{p{{0.62\linewidth}}}}{{\raggedright {text}}}",
        lines,
    )
