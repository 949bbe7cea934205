"""Stage a template's data sets on this machine: download what is missing, or take local files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.locking import stoppable
from orchestrator.core.errors import UnknownName, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.problems import nearest
from orchestrator.machine import datasets
from orchestrator.machine.download import OnProgress, fetch
from orchestrator.template.manifest import DataFile, DataSet
from orchestrator.template.template import Template, load_template

Following = Callable[[DataSet, DataFile], OnProgress]
"""Returns, for each file, a callback that receives how many of its bytes have arrived."""


@dataclass(frozen=True, slots=True)
class StagedOutcome:
    """A template's data sets that are staged now, and those of them that were not before."""

    template: Template
    sets: tuple[DataSet, ...]
    new: tuple[DataSet, ...]


def stage_data(
    name: str,
    following: Following,
    *,
    only: tuple[str, ...] = (),
    given: tuple[Path, ...] = (),
    ca_bundle: Path | None = None,
) -> StagedOutcome:
    """Stage a template's data sets: what is missing is taken from ``given``, or downloaded.

    Raises:
        UnknownName: the template fetches no such data set.
        UserError: the manifest names no such file.
        DataFailed, DiskFull: a set could not be fetched, or there is no room for it.
        Interrupted: a person stopped the transfer; what has arrived is kept.
    """
    template = load_template(name, shipped_root())
    sets = _chosen(template, only)
    if not sets:
        return StagedOutcome(template, (), ())
    stopped = stoppable(
        "the transfer was stopped; what has arrived is kept",
        where=str(datasets.datasets_folder() / "partial"),
        todo=f"continue from there: aisci data prepare {template.argument}",
    )
    with datasets.staging_lock(), stopped:
        wanted = datasets.missing_sets(sets)
        if given:
            _adopt(given, sets, [file for data in wanted for file in data.files])
        datasets.check_disk_space(wanted)
        for data in wanted:
            for file in data.files:
                fetch(file, datasets.partial_path(file), following(data, file), ca_bundle)
            datasets.install_set(data)
    return StagedOutcome(template, tuple(sets), tuple(wanted))


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
    """Use local files. Raises :class:`UserError` for one that the manifest does not name."""
    for path in given:
        if not path.exists():
            raise UserError(
                "there is no such file or folder",
                where=f"--from {path}",
                todo="name a file or folder that exists",
            )
    every = [file for data in sets for file in data.files]
    found = list(datasets.match_local(given, every))
    used = {path if path in given else path.parent for _, path in found}
    for path in given:
        if path not in used:
            names = [f"{file.path}: {file.bytes:,} bytes, SHA-256 {file.sha256}" for file in every]
            has = "no file in it has such a size and hash"
            if path.is_file():
                has = f"it has {path.stat().st_size:,} bytes, SHA-256 {datasets.sha256_of(path)}"
            raise UserError(
                "the manifest names no such file",
                where=f"--from {path}",
                why=has,
                todo="\n         ".join(["expected:", *names]),
            )
    for file, path in found:
        if file in files:
            datasets.copy_local(file, path)
