"""Finding the run that a person means: a results folder, or ``latest``."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.errors import UnknownName, UserError
from orchestrator.record.chain import read_lines
from orchestrator.record.events import Sealed
from orchestrator.record.paths import RunPaths

JOURNAL = "journal.jsonl"


def find_run(name: str, results: Path) -> RunPaths:
    """The run in folder ``name``, or the newest for ``latest``. Raises :class:`UnknownName`."""
    # Oldest first: the names of runs are the times they began.
    runs = sorted((path.parent for path in results.glob(f"*/*/{JOURNAL}")), key=lambda p: p.name)
    if name == "latest" and not runs:
        raise UnknownName(
            "there is no run yet",
            where=f"{results.absolute()}/",
            todo="start one: `aisci run grokking`; or name another folder of results: --results DIR",
        )
    if name == "latest":
        return RunPaths(runs[-1])
    folder = Path(name)
    if (folder / JOURNAL).is_file() and (folder.parent / JOURNAL).is_file():
        raise UserError(
            "this is one idea's folder, not a run's",
            where=name,
            todo=f"name the run that it belongs to: {folder.parent}",
        )
    if not (folder / JOURNAL).is_file():
        raise UnknownName(
            "there is no run",
            where=name,
            why=f"it holds no {JOURNAL}" if folder.is_dir() else "there is no such folder",
            todo=f"name a run's folder; the newest is {runs[-1]}"
            if runs
            else "name a run's folder, results/TEMPLATE/DATE_TIME, or `latest`; with `latest`, "
            "--results DIR says where these folders are",
        )
    return RunPaths(folder)


def ended(paths: RunPaths) -> bool:
    """Whether the run was taken to its end, so that resuming it asks for nothing more."""
    events = [event for event, _ in read_lines(paths.journal)]
    return bool(events) and isinstance(events[-1], Sealed)
