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

from orchestrator.api.signals import obeyed
from orchestrator.console import output as out
from orchestrator.console.view import View
from orchestrator.core.errors import Interrupted, UnknownName, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.strict_yaml import nearest
from orchestrator.machine import datasets
from orchestrator.machine.download import Told, fetch
from orchestrator.template.folder import shipped
from orchestrator.template.manifest import DataFile, DataSet
from orchestrator.template.template import Template, load

MIB = 2**20
TENTHS = 10  # lines about one file where nobody watches a terminal


def list_data(*, as_json: bool) -> None:
    """Every data set of the shipped templates, once: size, licence, and whether it is here."""
    rows: dict[str, tuple[DataSet, list[str]]] = {}
    for name in shipped(shipped_root()):
        for data in load(name, shipped_root()).manifest.data:
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
    """Stage a template's data sets: what is missing is taken from ``given``, or fetched."""
    template = load(name, shipped_root())
    sets = _chosen(template, only)
    if not sets:
        _say(view, f"{template.name} fetches no data: its experiment makes all that it needs")
        return
    with datasets.alone(), _interruptible(template):
        wanted = datasets.missing(sets)
        files = [file for data in wanted for file in data.files]
        if given:
            _adopt(given, sets, files)
        datasets.check_room(wanted)
        with _drawn(view) as draw:
            for data in wanted:
                for file in data.files:
                    fetch(file, datasets.partial(file), draw(data, file), ca_bundle)
                datasets.place(data)
    for data in sets:
        state = "staged" if data in wanted else "was staged"
        if view.as_json:
            out.as_json({"data": data.name, "state": state, "bytes": data.bytes, "hash": data.hash,
                         "folder": str(datasets.folder_of(data))})  # fmt: skip
        else:
            _say(view, f"{data.name}: {state}, {data.bytes / MIB:,.1f} MiB, {data.licence}")
    _say(view, f"experiments find them, read-only, below /data; here in {datasets.home() / 'sets'}")


def _chosen(template: Template, only: tuple[str, ...]) -> list[DataSet]:
    """The sets to stage, by name; all that are fetched if none is named."""
    fetched = {data.name: data for data in template.manifest.data if data.source == "download"}
    for name in only:
        if name not in fetched:
            raise UnknownName(
                f"the template {template.name} fetches no data set {name!r}",
                where=f"{template.origin}/template.yaml: data",
                todo=nearest(name, tuple(fetched)) if fetched else "it makes all that it needs",
            )
    return [data for name, data in fetched.items() if not only or name in only]


def _adopt(given: tuple[Path, ...], sets: list[DataSet], files: list[DataFile]) -> None:
    """Take what a person brought. Raises :class:`UserError` where it is none of the files."""
    for path in given:
        if not path.exists():
            raise UserError("no such file or folder", where=f"--from {path}")
    every = [file for data in sets for file in data.files]
    found = list(datasets.matches(given, every))
    used = {path if path in given else path.parent for _, path in found}
    for path in given:
        if path not in used:
            names = [f"{file.path}: {file.bytes:,} bytes, SHA-256 {file.sha256}" for file in every]
            has = (
                f"it has {path.stat().st_size:,} bytes, SHA-256 {datasets.sha256_of(path)}"
                if path.is_file()
                else "no file in it has such a size and hash"
            )
            raise UserError(
                "this is none of the files that the manifest names",
                where=f"--from {path}",
                why=has,
                todo="\n         ".join(["wanted:", *names]),
            )
    for file, path in found:
        if file in files:
            datasets.adopt(file, path)


@contextmanager
def _interruptible(template: Template) -> Iterator[None]:
    try:
        with obeyed():
            yield
    except KeyboardInterrupt as error:
        raise Interrupted(
            "the transfer was stopped; what has come is kept",
            where=str(datasets.home() / "partial"),
            todo=f"go on from there: aisci data prepare {template.argument}",
        ) from error


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
    """Makes, for each file, what is told how much of it is here."""

    def __init__(self, view: View, bars: Progress | None) -> None:
        self._silent, self._bars = view.quiet or view.as_json, bars

    def __call__(self, data: DataSet, file: DataFile) -> Told:
        name = f"{data.name}: {file.path}"
        if self._bars is not None:
            bars, task = self._bars, self._bars.add_task(name, total=file.bytes)
            return lambda done: bars.update(task, completed=done)
        if self._silent:
            return lambda _: None
        told = 0

        def tell(done: int) -> None:
            nonlocal told
            if TENTHS * done // file.bytes > told:
                told = TENTHS * done // file.bytes
                sys.stderr.write(f"{name}: {100 * done // file.bytes} % of {file.bytes:,} bytes\n")

        return tell


def _say(view: View, text: str) -> None:
    if not (view.quiet or view.as_json):
        out.say(text)
