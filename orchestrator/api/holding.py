"""A hold: a file that keeps runs from starting and records from being removed, until it is released.

The account's own is in its folder of settings; the machine's is ``/etc/aisci/hold.json``, which only root writes.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.api.origin import account_name
from orchestrator.core import machine_folder
from orchestrator.core.errors import UserError
from orchestrator.core.files import config_home, write
from orchestrator.core.sanitize import plain_line
from orchestrator.core.stopwatch import utc_now

HOLD_FILE = "hold.json"
_MOST = 64 << 10  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Who held what, when and why."""

    at: str
    by: str
    why: str = ""


def hold_path(*, everybody: bool) -> Path:
    """Where the hold of this account, or that of the whole machine, is kept."""
    folder = machine_folder.MACHINE.folder if everybody else config_home()
    return folder / HOLD_FILE


def set_hold(why: str, *, everybody: bool) -> Path:
    """Keep runs from starting. Raises :class:`UserError` where the machine is meant and this is not root."""
    path = hold_path(everybody=everybody)
    if everybody:
        _require_root("--everybody")
    write(path, json.dumps(asdict(Hold(at=utc_now(), by=account_name(), why=why)), indent=1) + "\n")
    return path


def release_hold(*, everybody: bool) -> Path | None:
    """Remove the hold; its path, or None if there was none. Raises :class:`UserError` as :func:`set_hold`."""
    path = hold_path(everybody=everybody)
    if everybody:
        _require_root("--everybody")
    if not path.exists():
        return None
    path.unlink()
    return path


def require_no_hold() -> None:
    """Raise :class:`UserError` while this account or this machine is held, :class:`BadFile` for a hold of the
    machine that cannot be relied on.
    """
    own = hold_path(everybody=False)
    for path, words in (
        (machine_folder.MACHINE.file(HOLD_FILE), ("this machine is held", " --everybody, as root")),
        (own if own.exists() else None, ("your runs are held", "")),
    ):
        if path is None:
            continue
        hold = _read(path)
        reason = f": {plain_line(hold.why)}" if hold.why else ""
        raise UserError(
            f"{words[0]}: nothing starts, and no record is removed",
            where=str(path),
            why=f"by {plain_line(hold.by)} at {plain_line(hold.at)}{reason}",
            todo=f"when it is over: `aisci stop --release{words[1]}`",
        )


def _read(path: Path) -> Hold:
    """What a hold says; one that cannot be read still holds."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST))
        return Hold(at=str(found["at"]), by=str(found["by"]), why=str(found.get("why", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Hold(at="a time that cannot be read", by="somebody")


def _require_root(option: str) -> None:
    if os.geteuid() != 0:
        raise UserError(
            "only root may hold or release the whole machine",
            where=option,
            todo=f"run it as root, or leave {option} out: then it is about your own runs",
        )
