"""A run as one file: record, pages and papers, in bytes that depend on the run alone.

Whoever unpacks it, with another account or on another machine, reads, replays and audits it there.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.exported import SUFFIX
from orchestrator.api.find_run import find_run, id_of
from orchestrator.api.locking import is_at_work
from orchestrator.core.errors import UnsafeFolder, UserError
from orchestrator.core.files import UNFINISHED, replacing
from orchestrator.core.untrusted import NotPlain, folder_entries, open_plain, require_plain
from orchestrator.record.chain import head_of
from orchestrator.record.paths import RunPaths

_LEVEL = 6  # of compression: fixed, since the bytes depend on it


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedRun:
    """A run's archive. ``head`` is the record's whole head, of which the file's name has the beginning."""

    run: str
    file: Path
    head: str
    files: int
    size: int


def pack_run(name: str, results: Path, into: Path | None = None) -> PackedRun:
    """Write a run to one file: ``into``, or a name of its own in that folder or in the current one.

    Raises :class:`UserError` for a run at work and a file that exists, :class:`BadJournal`,
    :class:`UnsafeFolder`.
    """
    if into == Path("-"):
        raise UserError(
            "a run's file is not written to the terminal or into a pipe",
            where="--into -",
            todo="name a file or a folder; --csv and --json take `-`",
        )
    paths, run, head, file = file_of_run(name, results, into, SUFFIX)
    names = tuple(_packed_names(paths))
    with (
        replacing(file) as out,
        gzip.GzipFile("", "wb", _LEVEL, out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for inside in names:
            _add(tar, paths.folder / inside, f"{run}/{inside}")
    return PackedRun(run=run, file=file, head=head, files=len(names), size=file.stat().st_size)


def file_of_run(
    name: str, results: Path, into: Path | None, suffix: str
) -> tuple[RunPaths, str, str, Path]:
    """A run that rests, its id, its head, and the new file that it is written to. Raises :class:`UserError` for a run
    at work and a file that exists.
    """
    paths = find_run(name, results)
    require_plain(paths.folder)
    if is_at_work(paths.folder):
        raise UserError(
            "another process is working on this run",
            where=str(paths.folder),
            todo="wait for it, or stop it: `aisci cancel RUN`",
        )
    head, run = head_of(paths.journal), id_of(paths.folder)
    own = f"{run.replace('/', '_')}_{head[:12]}{suffix}"
    file = into / own if into is not None and into.is_dir() else into or Path(own)
    if file.exists() or file.is_symlink():
        raise UserError(
            "there is something at this place already",
            where=str(file),
            todo="remove it, or name another file with --into",
        )
    return paths, run, head, file


def _packed_names(paths: RunPaths) -> Iterator[str]:
    """The paths of what goes along: not what a killed process left, and not somebody's page of an audit."""
    for name in sorted(name for name, _ in folder_entries(paths.folder)):
        if name != paths.audit.name and not name.rpartition("/")[2].startswith(UNFINISHED):
            yield name


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """A file of nobody, without its time, that everybody may read. Raises :class:`UnsafeFolder` for one of holes."""
    try:
        opened = open_plain(path)
    except NotPlain as error:
        raise UnsafeFolder(
            "a file of the run's folder cannot be packed",
            where=str(path),
            why=str(error),
            todo="aisci makes none like it: remove it, or take the run from where it was recorded",
        ) from error
    with opened as file:
        entry = tarfile.TarInfo(name)
        entry.size = file.seek(0, 2)
        file.seek(0)
        entry.mode = 0o644
        tar.addfile(entry, file)
