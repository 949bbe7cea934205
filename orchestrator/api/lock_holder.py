"""The process that works on a run: found by the lock that it holds, and never mistaken for another.

A number of a process is used again when it has ended. So a process is known by its number and the time it
started, and is signalled through a handle that was opened before both were compared again.
"""

from __future__ import annotations

import os
import pwd
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import AisciError, UserError
from orchestrator.sandbox.engine.labels import process_start


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A process; ``started`` is in ticks since the machine booted."""

    pid: int
    started: int


def lock_holder(folder: Path) -> LockHolder | None:
    """The process that holds a run's lock, as far as this account sees it: none at work, or none on this machine."""
    there = folder.stat()
    for pid in _writers(there.st_ino):
        started = process_start(pid)
        if started is not None and _has_open(pid, there):
            return LockHolder(pid, started)
    return None


def _writers(inode: int) -> Iterator[int]:
    """The processes with a whole exclusive lock on this inode, of whatever file system."""
    try:
        text = Path("/proc/locks").read_text("ascii", errors="replace")
    except OSError:  # a system that does not tell
        return
    for line in text.splitlines():
        words = line.split()
        # 1: FLOCK ADVISORY WRITE 4321 08:01:131 0 EOF; one that waits has an arrow in between.
        whole = len(words) >= 6 and (words[1], words[3]) == ("FLOCK", "WRITE")
        if whole and words[5].rpartition(":")[2] == str(inode) and words[4].isdecimal():
            yield int(words[4])


def locked_by_others(folder: Path) -> str:
    """Who of another account holds a lock of any kind on a run's folder, in words; empty where nobody is seen.

    Whoever may read a folder may lock it.
    """
    inode, found = str(folder.stat().st_ino), set[str]()
    try:
        text = Path("/proc/locks").read_text("ascii", errors="replace")
    except OSError:
        return ""
    for line in text.splitlines():
        words = line.split()
        if len(words) < 6 or words[1] != "FLOCK" or words[5].rpartition(":")[2] != inode:
            continue
        try:
            uid = Path(f"/proc/{words[4]}").stat().st_uid
        except OSError:  # it has ended, or is hidden from this account
            continue
        if uid not in {os.geteuid(), 0}:
            found.add(f"process {words[4]} of {_account_of(uid)}")
    return ", ".join(sorted(found))


def _account_of(uid: int) -> str:
    try:
        return f"account {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"uid {uid}"


def _has_open(pid: int, there: os.stat_result) -> bool:
    """Whether the process has this very folder open."""
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
    for handle in handles:
        try:
            if os.path.samestat(handle.stat(), there):
                return True
        except OSError:
            continue
    return False


def stop_holder(folder: Path, holder: LockHolder, patience: float) -> bool:
    """Ask the process to stop in order (SIGTERM), and wait ``patience`` seconds for its end; whether it ended.

    Raises :class:`UserError` where it is another account's.
    """
    try:
        handle = os.pidfd_open(holder.pid)
    except ProcessLookupError:
        return True
    try:
        if lock_holder(folder) != holder:  # it ended meanwhile; its number may be another's
            return True
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        return bool(select.select([handle], [], [], patience)[0])
    except PermissionError as error:
        raise UserError(
            "another account's process works on this run",
            where=f"{folder}, process {holder.pid}",
            todo="ask its owner to stop it",
        ) from error
    finally:
        os.close(handle)


def require_holder(folder: Path) -> LockHolder:
    """The process at work on a run. Raises :class:`AisciError` where there is one that is not seen from here."""
    holder = lock_holder(folder)
    if holder is None:
        raise AisciError(
            "a process works on this run, and it cannot be seen from here",
            where=str(folder),
            why="it is another account's, or in another container or on another machine",
            todo="stop it there, with Ctrl-C or `aisci cancel`",
        )
    return holder
