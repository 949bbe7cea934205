"""Records that are no run's: lists of ideas, novelty, reviews of PDFs, surveys, slides; below the same results."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api.find_run import JOURNAL, id_of, is_run, run_folders

RECORD_FOLDERS = ("ideas", "novelty", "readings", "reviews", "slides", "surveys")
"""The folders of these records, below a folder of results, where a run has its template's name."""


def record_folders(results: Path) -> list[Path]:
    """Every such record below ``results``."""
    return [folder for folder in run_folders(results) if is_own_record(folder)]


def is_own_record(folder: Path) -> bool:
    """Whether a folder is the record of one of these commands, and not a run's."""
    known = folder.parent.name in RECORD_FOLDERS and (folder / JOURNAL).is_file()
    return known and not is_run(folder)


def record_called(name: str, results: Path) -> Path | None:
    """The record of this folder or id, such as ``reviews/paper-0d32ee405cdc``; None where it is none."""
    folder = Path(name)
    if is_own_record(folder.absolute()):
        return folder
    return next((one for one in record_folders(results) if id_of(one) == name.strip("/")), None)
