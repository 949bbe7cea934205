"""``aisci data``: the data sets that templates declare, fetched and staged on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from orchestrator.api.staging import Following, stage_data
from orchestrator.console import output as out
from orchestrator.console.columns import Column, cell, fixed_columns
from orchestrator.console.options import View
from orchestrator.core.files import shipped_root
from orchestrator.core.sanitize import plain_line
from orchestrator.core.units import MIB
from orchestrator.machine import datasets
from orchestrator.machine.download import OnProgress
from orchestrator.template.folder import shipped_templates
from orchestrator.template.manifest import DataFile, DataSet
from orchestrator.template.template import load_template

_ROOMY = 120  # characters; on a narrower terminal descriptions stand below
TENTHS = 10  # lines about one file in a log


def list_data(*, as_json: bool) -> None:
    """Every data set of the shipped templates, once: size, licence, and whether it is here."""
    rows: dict[str, tuple[DataSet, list[str]]] = {}
    for name in shipped_templates(shipped_root()):
        for data in load_template(name, shipped_root()).manifest.data:
            rows.setdefault(f"{data.name} {data.hash}", (data, []))[1].append(name)
    if as_json:
        for data, templates in rows.values():
            out.as_json({"name": data.name, "templates": templates, "source": data.source,
                         "bytes": data.bytes, "licence": data.licence, "hash": data.hash,
                         "state": _state(data), "from": [file.url for file in data.files]})  # fmt: skip
        return
    lines = []
    for data, templates in rows.values():
        size = f"{data.bytes / MIB:,.1f} MiB" if data.bytes else ""
        state, licence = _state(data), data.licence or ""
        lines.append((data.name, ", ".join(templates), state, size, licence, data.description))
    if out.width() >= _ROOMY:
        out.table(("data set", "template", "here", "size", "licence", "what it is"), lines)
        return
    columns = [Column(head=head) for head in ("data set", "here", "size")]
    cells = [(cell(line[0]), cell(line[2]), cell(line[3])) for line in lines]
    told = [
        "; ".join(filter(None, (f"{name} ({of}): {what}", licence)))
        for name, of, _, _, licence, what in lines
    ]
    below = [Text(plain_line(line, limit=400)) for line in told]
    out.draw([*fixed_columns(columns, cells, out.width()), Text(), *below])


def _state(data: DataSet) -> str:
    if data.source == "builtin":
        return "made when it runs"
    return "staged" if datasets.is_staged(data) else "not staged"


def prepare(
    name: str,
    view: View,
    *,
    only: tuple[str, ...],
    given: tuple[Path, ...],
    ca_bundle: Path | None,
) -> None:
    """Stage a template's data sets, and print each."""
    with following_files(view) as following:
        outcome = stage_data(name, following, only=only, given=given, ca_bundle=ca_bundle)
    if not outcome.sets:
        _say(view, f"{outcome.template.name} downloads no data: its experiment makes its own")
        return
    for data in outcome.sets:
        state = "staged" if data in outcome.new else "was staged"
        if view.as_json:
            out.as_json({"data": data.name, "state": state, "bytes": data.bytes, "hash": data.hash,
                         "folder": str(datasets.folder_of(data))})  # fmt: skip
        else:
            _say(view, f"{data.name}: {state}, {data.bytes / MIB:,.1f} MiB, {data.licence}")
    here = datasets.datasets_folder() / "sets"
    _say(view, f"experiments find them, read-only, below /data; here in {here}")


@contextmanager
def following_files(view: View) -> Iterator[Following]:
    """Returns, for each file, a callback that draws how much of it has arrived."""
    if view.quiet or view.as_json:
        yield lambda _data, _file: lambda _done: None
    elif not sys.stderr.isatty():
        yield _in_lines
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True),
                   TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as bars:

            def in_bars(data: DataSet, file: DataFile) -> OnProgress:
                task = bars.add_task(f"{data.name}: {file.path}", total=file.bytes)
                return lambda done: bars.update(task, completed=done)

            yield in_bars


def _in_lines(data: DataSet, file: DataFile) -> OnProgress:
    tenths = 0

    def tell(done: int) -> None:
        nonlocal tenths
        if TENTHS * done // file.bytes > tenths:
            tenths = TENTHS * done // file.bytes
            share = f"{100 * done // file.bytes} % of {file.bytes:,} bytes"
            sys.stderr.write(f"{data.name}: {file.path}: {share}\n")

    return tell


def _say(view: View, text: str) -> None:
    if not (view.quiet or view.as_json):
        out.say(text)
