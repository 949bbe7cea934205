"""Finding the run that a person means: a results folder, or ``latest``."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.errors import BadJournal, UnknownName, UserError
from orchestrator.record.chain import is_sealed, read_lines
from orchestrator.record.events import RunStarted
from orchestrator.record.paths import IdeaPaths, RunPaths

JOURNAL = "journal.jsonl"


def find_run(name: str, results: Path) -> RunPaths:
    """The run in folder ``name``, or the newest for ``latest``. Raises :class:`UnknownName`."""
    # Oldest first: the names of runs are the times they began.
    found = sorted((path.parent for path in results.glob(f"*/*/{JOURNAL}")), key=lambda p: p.name)
    runs = [path for path in found if name != "latest" or _is_run(path)]
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


def find_idea(name: str, results: Path) -> tuple[RunPaths, IdeaPaths]:
    """The run and the idea of folder ``name``: RUN/IDEA, or a run (or ``latest``) that has one idea alone.
    Raises :class:`UnknownName`.
    """
    folder = Path(name)
    if (folder / JOURNAL).is_file() and (folder.parent / JOURNAL).is_file():
        return RunPaths(folder.parent), IdeaPaths(folder)
    run = find_run(name, results)
    ideas = sorted(path.parent for path in run.folder.glob(f"*/{JOURNAL}"))
    if len(ideas) == 1:
        return run, IdeaPaths(ideas[0])
    raise UnknownName(
        "this run has no idea yet" if not ideas else f"this run has {len(ideas)} ideas",
        where=str(run.folder),
        todo="`aisci resume` continues the run"
        if not ideas
        else "name the folder of one:\n" + "\n".join(f"  {path}" for path in ideas[:20]),
    )


def _is_run(folder: Path) -> bool:
    """Whether a journal is a run's, and not that of slides or of a review; a broken one may be."""
    try:
        first = next(iter(read_lines(folder / JOURNAL)), None)
    except BadJournal:
        return True
    return first is None or isinstance(first[0], RunStarted)


def ended(paths: RunPaths) -> bool:
    """Whether the run was taken to its end, so that resuming it asks for nothing more."""
    return is_sealed(paths.journal)
