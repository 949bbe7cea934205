"""Runs that a person no longer wants: removed whole, or down to their record. Nothing else is touched."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.api.disk_use import RunSize, size_of_run
from orchestrator.api.find_run import find_run, is_run, run_folders
from orchestrator.api.locking import is_at_work, only_writer
from orchestrator.api.own_folders import is_own_record, record_called
from orchestrator.api.run_watch import brief_status
from orchestrator.core.errors import UserError
from orchestrator.core.untrusted import folder_entries, require_plain
from orchestrator.record.chain import GrowingJournal
from orchestrator.record.events import RunStarted
from orchestrator.record.paths import RunPaths, beside_record

REMOVED = ".removed-"
"""The beginning of a run's folder while it is being removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePlan:
    """The runs that :func:`prune_run` would be given, and (run, reason) of those that stay."""

    runs: tuple[RunSize, ...]
    stay: tuple[tuple[str, str], ...]


def runs_to_remove(names: Sequence[str], results: Path) -> tuple[RunSize, ...]:
    """The runs of these names, and other records by their folder or id, each once. Raises :class:`UserError` for what is no run below ``results``, and
    for a run at work.
    """
    found = {_meant(name, results).absolute(): name for name in names}
    for folder in found:
        _require_ours(folder, results)
        if is_at_work(folder):
            raise UserError(
                "another process is working on this run",
                where=str(folder),
                todo="stop it first: `aisci cancel RUN`",
            )
    return tuple(size_of_run(folder) for folder in found)


def _meant(name: str, results: Path) -> Path:
    return record_called(name, results) or find_run(name, results).folder


def remove_run(folder: Path, results: Path) -> None:
    """Remove a run of ours and its log. It is out of the list at once, also if this is interrupted."""
    _require_ours(folder, results)
    with only_writer(folder):
        gone = results / f"{REMOVED}{folder.parent.name}_{folder.name}_{os.getpid()}"
        folder.rename(gone)
        shutil.rmtree(gone)  # a link in it is removed, and never followed
    name = glob.escape(folder.name)
    for form in (f"{name}.log", f"{name}.[0-9]*.log"):  # a resumed run may have several
        for log in folder.parent.glob(form):
            log.unlink(missing_ok=True)
    with suppress(OSError):  # other runs of the template are there
        folder.parent.rmdir()


def remove_remains(results: Path) -> None:
    """What an interrupted removal left."""
    for path in results.glob(f"{REMOVED}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)


def plan_prune(results: Path, older_than: float, now: datetime, *, keep_record: bool) -> PrunePlan:
    """The runs that have ended and changed last more than ``older_than`` seconds ago; with ``keep_record``, those
    that have more than their record.
    """
    chosen: list[RunSize] = []
    stay: list[tuple[str, str]] = []
    for folder in filter(is_run, run_folders(results)):
        status = brief_status(folder)
        why = status.fault
        if not why and status.state not in {"finished", "failed"}:
            why = f"it is {status.state}"
        if not why and (now - datetime.fromisoformat(status.changed)).total_seconds() < older_than:
            why = "it is younger"
        size = size_of_run(folder)
        if not why and keep_record and size.total == size.kinds["record"]:
            why = "it is its record alone"
        if why:
            stay.append((size.run, why))
        else:
            chosen.append(size)
    return PrunePlan(runs=tuple(chosen), stay=tuple(stay))


def prune_run(folder: Path, results: Path, *, keep_record: bool) -> None:
    """Remove a run; or with ``keep_record`` only what a replay makes again: papers, results, pages, history."""
    if not keep_record:
        remove_run(folder, results)
        return
    _require_ours(folder, results)
    require_plain(folder)
    with only_writer(folder):
        for name, _ in list(folder_entries(folder)):
            if beside_record(name) or name == RunPaths(folder).audit.name:
                (folder / name).unlink()
        for inside in sorted(folder.rglob("*"), reverse=True):
            if inside.is_dir() and not inside.is_symlink():
                with suppress(OSError):  # it holds a part of the record
                    inside.rmdir()


def _require_ours(folder: Path, results: Path) -> None:
    """Raise :class:`UserError` for anything but a run's own folder, below ``results`` without a link."""
    real = folder.absolute()
    linked = folder.is_symlink() or folder.parent.is_symlink()
    first = next(GrowingJournal(folder / RunPaths(folder).journal.name).more(), None)
    if linked or real.resolve().parent.parent != results.resolve() or real.name == "..":
        raise UserError(
            "this is no run below the folder of results",
            where=str(folder),
            why="it is reached through a link" if linked else f"the folder of results is {results}",
            todo="name the folder of results that it is in with --results, and no link",
        )
    if not isinstance(first, RunStarted) and not is_own_record(real):
        raise UserError(
            "this is no record that `aisci` made below the folder of results",
            where=str(folder),
            todo="remove it by hand if it is yours",
        )
