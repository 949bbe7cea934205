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

from orchestrator.api.stage_data import stage_data
from orchestrator.console import output as out
from orchestrator.console.options import View
from orchestrator.core.files import shipped_root
from orchestrator.core.units import MIB
from orchestrator.machine import datasets
from orchestrator.machine.download import OnProgress
from orchestrator.template.folder import shipped_templates
from orchestrator.template.manifest import DataFile, DataSet
from orchestrator.template.template import load_template

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
    out.table(
        ("data set", "template", "here", "size", "licence", "what it is"),
        [
            (
                data.name,
                ", ".join(templates),
                _state(data),
                f"{data.bytes / MIB:,.1f} MiB" if data.bytes else "",
                data.licence or "",
                data.description,
            )
            for data, templates in rows.values()
        ],
    )


def _state(data: DataSet) -> str:
    if data.source == "builtin":
        return "made when it runs"
    return "staged" if datasets.is_staged(data) else "not staged"


def prepare(
    name: str,
    view: View,
    *,
    only: tuple[str, ...] = (),
    given: tuple[Path, ...] = (),
    ca_bundle: Path | None = None,
) -> None:
    """Stage a template's data sets, and print each."""
    with _drawn(view) as draw:
        outcome = stage_data(name, draw, only=only, given=given, ca_bundle=ca_bundle)
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
    _say(
        view,
        f"experiments find them, read-only, below /data; here in {datasets.datasets_folder() / 'sets'}",
    )


@contextmanager
def _drawn(view: View) -> Iterator[_Draw]:
    if sys.stderr.isatty() and not (view.quiet or view.as_json):
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True),
                   TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as bars:
            yield _Draw(view, bars)
    else:
        yield _Draw(view, None)


class _Draw:
    """Returns, for each file, a callback that draws how much of it has arrived."""

    def __init__(self, view: View, bars: Progress | None) -> None:
        self._silent, self._bars = view.quiet or view.as_json, bars

    def __call__(self, data: DataSet, file: DataFile) -> OnProgress:
        name = f"{data.name}: {file.path}"
        if self._bars is not None:
            bars, task = self._bars, self._bars.add_task(name, total=file.bytes)
            return lambda done: bars.update(task, completed=done)
        if self._silent:
            return lambda _: None
        tenths = 0

        def tell(done: int) -> None:
            nonlocal tenths
            if TENTHS * done // file.bytes > tenths:
                tenths = TENTHS * done // file.bytes
                sys.stderr.write(f"{name}: {100 * done // file.bytes} % of {file.bytes:,} bytes\n")

        return tell


def _say(view: View, text: str) -> None:
    if not (view.quiet or view.as_json):
        out.say(text)
