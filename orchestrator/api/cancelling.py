"""Stop a run that another process works on, as Ctrl-C in its terminal would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.find_run import find_run
from orchestrator.api.lock_holder import require_holder, stop_holder
from orchestrator.api.locking import is_at_work
from orchestrator.api.run_status import State
from orchestrator.api.run_watch import brief_status
from orchestrator.core.errors import AisciError, UserError

STOP_PATIENCE = 120.0  # seconds: a container that is removed, a call that is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledRun:
    """The run that was stopped; ``state`` is where it stands, ``next`` the command that goes on."""

    folder: Path
    pid: int
    state: State
    next: str


def cancel_run(name: str, results: Path, patience: float = STOP_PATIENCE) -> CancelledRun:
    """Stop the process that works on a run, and wait until it has ended.

    Raises:
        UserError: no process works on it, or another account's does.
        AisciError: the process cannot be seen from here, or did not end in time.
    """
    folder = find_run(name, results).folder
    if not is_at_work(folder):
        raise UserError(
            "no process works on this run",
            where=str(folder),
            todo=f"`aisci status {folder}` says where it stands",
        )
    holder = require_holder(folder)
    if not stop_holder(folder, holder, patience):
        raise AisciError(
            f"the process was asked to stop, and did not end within {patience:.0f} s",
            where=f"{folder}, process {holder.pid}",
            todo="wait for it, and ask once more. A kill is safe for the record: `aisci resume` goes on",
        )
    status = brief_status(folder)
    return CancelledRun(folder=folder, pid=holder.pid, state=status.state, next=status.next)
