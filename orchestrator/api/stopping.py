"""Stop every run of an account, or of this machine, in order; keep what their containers have."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.api.find_run import JOURNAL, id_of
from orchestrator.api.lock_holder import LockHolder, lock_holder
from orchestrator.core.errors import AisciError, EngineUnavailable
from orchestrator.core.files import data_home
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.engine.labels import Owner, process_start
from orchestrator.sandbox.engine.reaper import leftovers
from orchestrator.sandbox.storage.keeping import KeptContainer, job_containers, keep_container

ALL_PATIENCE = 120.0  # seconds for all of them together, before they are killed
_DEATH = 10.0  # seconds until a killed process is gone
_ROUNDS = 3  # a run that began meanwhile is found by the next look
_TIME = re.compile(r"\d{8}_\d{6}(_\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAtWork:
    """A run's folder, and the process that works on it."""

    folder: Path
    holder: LockHolder


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedRun:
    """A run that was stopped: ``killed`` if it did not end in order in time."""

    folder: Path
    pid: int
    killed: bool

    @property
    def id(self) -> str:
        return id_of(self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedAll:
    """Every run that was stopped, what was kept and where, and what could not be done."""

    runs: tuple[StoppedRun, ...]
    kept: tuple[KeptContainer, ...]
    faults: tuple[str, ...]


def runs_at_work(*, everybody: bool = False) -> tuple[RunAtWork, ...]:
    """The runs that processes of this account work on, wherever their folders are; or of every account."""
    found: dict[Path, RunAtWork] = {}
    for pid in _lock_holders():
        if not everybody and _owner(pid) != os.geteuid():
            continue
        for folder in _folders_open(pid):
            holder = lock_holder(folder)
            if holder is not None and holder.pid == pid:
                found[folder] = RunAtWork(folder=folder, holder=holder)
    return tuple(found[folder] for folder in sorted(found))


def stop_runs(
    *, everybody: bool = False, keep: bool = False, patience: float = ALL_PATIENCE
) -> StoppedAll:
    """Stop all of them as Ctrl-C would, and kill what has not ended after ``patience`` seconds; with ``keep`` hold
    each container still first, and keep its settings, processes and files.
    """
    stopped: dict[Path, StoppedRun] = {}
    kept: list[KeptContainer] = []
    faults: list[str] = []
    engine = _engine(faults) if keep else None
    until = time.monotonic() + patience
    for _ in range(_ROUNDS):
        runs = [run for run in runs_at_work(everybody=everybody) if run.folder not in stopped]
        for run in runs if engine is not None else ():
            assert engine is not None
            kept += _kept(engine, run, faults)
        for done in _ended(runs, until, faults):
            stopped[done.folder] = done
        if not runs:
            break
    return StoppedAll(
        runs=tuple(stopped[one] for one in sorted(stopped)),
        kept=tuple(kept),
        faults=tuple(faults),
    )


def kept_folder() -> Path:
    """A new folder for what is kept now."""
    return data_home() / "held" / datetime.now(UTC).strftime("%Y%m%d_%H%M%S_%f")


def keep_leftovers(engine: Engine) -> tuple[KeptContainer, ...]:
    """Keep what the containers of dead runs have, before they are removed. Raises :class:`EngineFailed`."""
    into = kept_folder()
    dead = [one.name for one in leftovers(engine) if one.what == "container"]
    jobs = set(job_containers(engine))
    found = (keep_container(engine, name, into) for name in dead if name in jobs)
    return tuple(one for one in found if one is not None)


def _kept(engine: Engine, run: RunAtWork, faults: list[str]) -> Iterator[KeptContainer]:
    into = kept_folder()
    mine = Owner.me()
    owner = Owner(boot=mine.boot, pid=run.holder.pid, start=run.holder.started)
    try:
        for name in job_containers(engine, owner):
            one = keep_container(engine, name, into)
            if one is not None:
                yield one
                faults += [f"{one.name}: {what}" for what in one.lacks]
    except (AisciError, OSError) as error:
        faults.append(f"{run.folder}: {error}".partition("\n")[0])


def _ended(runs: list[RunAtWork], until: float, faults: list[str]) -> Iterator[StoppedRun]:
    """Ask all, then wait for each."""
    handles: list[tuple[RunAtWork, int]] = []
    try:
        for run in runs:
            try:
                handle = os.pidfd_open(run.holder.pid)
            except ProcessLookupError:
                continue
            handles.append((run, handle))
            if process_start(run.holder.pid) == run.holder.started:  # else its number is another's
                _signal(run, handle, signal.SIGTERM, faults)
        for run, handle in handles:
            left = max(0.0, until - time.monotonic())
            ended = bool(select.select([handle], [], [], left)[0])
            if not ended and process_start(run.holder.pid) == run.holder.started:
                _signal(run, handle, signal.SIGKILL, faults)
            if ended or select.select([handle], [], [], _DEATH)[0]:
                yield StoppedRun(folder=run.folder, pid=run.holder.pid, killed=not ended)
            else:
                faults.append(f"{run.folder}: process {run.holder.pid} is still at work")
    finally:
        for _, handle in handles:
            os.close(handle)


def _signal(run: RunAtWork, handle: int, number: signal.Signals, faults: list[str]) -> None:
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    except PermissionError:
        faults.append(f"{run.folder}: process {run.holder.pid} is another account's")


def _engine(faults: list[str]) -> Engine | None:
    try:
        return connect()
    except EngineUnavailable as error:
        faults.append(f"no container was kept: {error.what}")
        return None


def _lock_holders() -> list[int]:
    """The processes that hold a whole exclusive lock."""
    try:
        text = Path("/proc/locks").read_text("ascii", errors="replace")
    except OSError:
        return []
    rows = (line.split() for line in text.splitlines())
    held = (row for row in rows if len(row) >= 6 and (row[1], row[3]) == ("FLOCK", "WRITE"))
    return sorted({int(row[4]) for row in held if row[4].isdecimal()})


def _folders_open(pid: int) -> Iterator[Path]:
    """The folders of runs that a process has open; one that was made this moment has no journal yet."""
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    for handle in handles:
        try:
            folder = handle.readlink()
            if folder.is_dir() and ((folder / JOURNAL).is_file() or _TIME.fullmatch(folder.name)):
                yield folder
        except OSError:
            continue


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None
