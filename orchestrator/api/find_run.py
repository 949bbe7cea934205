"""Finding the run that a person means: a results folder, ``latest``, or an id that ``aisci list`` prints."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api.exported import refuse_exported
from orchestrator.core.errors import BadJournal, UnknownName, UserError
from orchestrator.core.problems import nearest
from orchestrator.record.chain import is_sealed, read_lines
from orchestrator.record.events import RunStarted
from orchestrator.record.paths import IdeaPaths, RunPaths

JOURNAL = "journal.jsonl"
_MOST_NAMED = 5  # ids in an error, the newest first


def find_run(name: str, results: Path) -> RunPaths:
    """The run in folder ``name``, the newest for ``latest``, or the one whose id, or whose time's beginning, it is.
    Raises :class:`UnknownName`.
    """
    if name == "latest":
        return RunPaths(_newest(results))
    folder = Path(name)
    if (folder / JOURNAL).is_file() and (folder.parent / JOURNAL).is_file():
        raise UserError(
            "this is one idea's folder, not a run's",
            where=name,
            todo=f"name the run that it belongs to: {folder.parent}",
        )
    if (folder / JOURNAL).is_file():
        return RunPaths(folder)
    refuse_exported(folder)
    found = [] if folder.is_dir() else list(filter(is_run, _meant(name, run_folders(results))))
    if len(found) == 1:
        return RunPaths(found[0])
    if len(found) > 1:
        raise UserError(
            f"{len(found)} runs have this name",
            where=name,
            todo="say which one:\n" + "\n".join(f"  {id_of(path)}" for path in found[-20:]),
        )
    raise _unknown(name, results)


def run_folders(results: Path) -> list[Path]:
    """The folders of runs, and of what may be one, below a folder of results; oldest first."""
    # The names of runs are the times they began.
    found = (path.parent for path in results.glob(f"*/*/{JOURNAL}"))
    return sorted(found, key=lambda path: (path.name, path.parent.name))


def id_of(folder: Path) -> str:
    """The name of a run below a folder of results: its template and its time."""
    whole = folder.absolute()
    return f"{whole.parent.name}/{whole.name}"


def _newest(results: Path) -> Path:
    newest = next(filter(is_run, reversed(run_folders(results))), None)
    if newest is None:
        above = next(
            (one for one in (results.parent, results.parent.parent) if run_folders(one)), None
        )
        inside = (results / JOURNAL).is_file() or any(results.glob(f"*/{JOURNAL}"))
        if inside and above is not None:
            raise UnknownName(
                "this is a folder inside of the folder of results",
                where=f"--results {results}",
                todo=f"name the folder above: --results {above}",
            )
        raise UnknownName(
            "there is no run yet",
            where=f"{results.absolute()}/",
            todo="start one: `aisci run grokking`; or name another folder of results: --results DIR",
        )
    return newest


def _meant(name: str, known: list[Path]) -> list[Path]:
    """The runs that an id, or the beginning of a time with or without its template, stands for."""
    template, slash, time = name.strip("/").rpartition("/")
    if not time:
        return []
    among = [path for path in known if not slash or path.parent.name == template]
    exact = [path for path in among if path.name == time]
    return exact or [path for path in among if path.name.startswith(time)]


def _unknown(name: str, results: Path) -> UnknownName:
    folder, known = Path(name), list(filter(is_run, run_folders(results)))
    todo = (
        "name a run's folder, results/TEMPLATE/DATE_TIME, or `latest`; with `latest`, "
        "--results DIR says where these folders are"
    )
    if known:
        ids = tuple(map(id_of, reversed(known)))
        todo = (
            f"{nearest(name, ids[:_MOST_NAMED])}; the newest is {known[-1]}, `aisci list` shows all"
        )
    return UnknownName(
        "there is no run",
        where=name,
        why=f"it holds no {JOURNAL}" if folder.is_dir() else "there is no such folder or id",
        todo=todo,
    )


def find_idea(name: str, results: Path) -> tuple[RunPaths, IdeaPaths]:
    """The run and the idea of folder ``name``; RUN/IDEA by a run's name and the beginning of an idea's; or a run
    that has one idea alone. Raises :class:`UnknownName`.
    """
    folder = Path(name)
    if (folder / JOURNAL).is_file() and (folder.parent / JOURNAL).is_file():
        return RunPaths(folder.parent), IdeaPaths(folder)
    above, _, idea = name.rstrip("/").rpartition("/")
    try:
        run, idea = find_run(name, results), ""
    except UnknownName:
        if not above:
            raise
        run = find_run(above, results)
    ideas = sorted(path.parent for path in run.folder.glob(f"*/{JOURNAL}"))
    meant = [path for path in ideas if path.name.startswith(idea)]
    if len(meant) == 1:
        return run, IdeaPaths(meant[0])
    many = f"this run has {len(ideas)} ideas"
    raise UnknownName(
        "this run has no idea yet"
        if not ideas
        else many
        if meant
        else f"{many}, and none is {idea!r}",
        where=str(run.folder),
        todo="`aisci resume` continues the run"
        if not ideas
        else "name the folder of one:\n" + "\n".join(f"  {path}" for path in ideas[:20]),
    )


def is_run(folder: Path) -> bool:
    """Whether a journal is a run's, and not that of slides or of a review; one that cannot be read
    may be.
    """
    try:
        first = next(iter(read_lines(folder / JOURNAL)), None)
    except (BadJournal, OSError):
        return True
    return first is None or isinstance(first[0], RunStarted)


def ended(paths: RunPaths) -> bool:
    """Whether the run was taken to its end, so that resuming it asks for nothing more."""
    return is_sealed(paths.journal)
