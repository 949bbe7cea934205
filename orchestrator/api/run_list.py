"""The runs below a folder of results. Nothing is written, and little of each is read."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api.find_run import is_run, run_folders
from orchestrator.api.run_status import RunStatus
from orchestrator.api.run_watch import brief_status


def list_runs(results: Path) -> tuple[RunStatus, ...]:
    """Every run, the newest first; of one that cannot be read, why. Records of other commands are left out."""
    return tuple(brief_status(path) for path in reversed(run_folders(results)) if is_run(path))
