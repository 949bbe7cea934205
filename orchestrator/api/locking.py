"""One writer per run, and stops in order: each error that passes says how to continue.

A signal that asks for an end becomes Ctrl-C, so that a command's clean-up runs.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from orchestrator.api.find_run import JOURNAL
from orchestrator.api.holding import require_no_hold
from orchestrator.api.lock_holder import locked_by_others
from orchestrator.core.errors import AisciError, BudgetSpent, Interrupted, UserError

_LOOKS, _LOOK = 5, 0.05  # times, seconds: a lock that somebody only looked at is free by then
STOPS = (signal.SIGTERM, signal.SIGHUP)  # a closed terminal stops a run in order, too


@contextmanager
def obeyed() -> Iterator[None]:
    """Within the block, a signal that asks for an end raises :class:`KeyboardInterrupt`."""
    before = [(number, signal.signal(number, _stop)) for number in STOPS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def stoppable(what: str, *, where: str, todo: str) -> Iterator[None]:
    """As :func:`obeyed`; what stops the block ends it as :class:`Interrupted` with these words."""
    try:
        with obeyed():
            yield
    except (KeyboardInterrupt, Interrupted) as error:
        raise Interrupted(what, where=where, todo=todo) from error


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Two processes never write one run's journals: the second is refused, and each while there is a hold."""
    require_no_hold()
    for left in reversed(range(_LOOKS)):
        with _flocked(folder, fcntl.LOCK_EX) as held:
            if held:
                yield
                return
        if left:  # it may only have been looked at
            time.sleep(_LOOK)
    others = locked_by_others(folder)
    raise UserError(
        "another process is working on this run",
        where=str(folder),
        why=f"{others} holds its lock: whoever may read the folder may do so" if others else "",
        todo=f"have them let go; `chmod -R go-rwx {folder}` keeps others out"
        if others
        else "wait for it or stop it, then try again",
    )


def is_at_work(folder: Path) -> bool:
    """Whether a process is working on this run. Nothing is written; :func:`only_writer` waits for the moment
    that this takes. Raises OSError where the folder cannot be opened.
    """
    with _flocked(folder, fcntl.LOCK_SH) as held:
        return not held


@contextmanager
def _flocked(folder: Path, kind: int) -> Iterator[bool]:
    """Whether the lock of this kind could be had at once; it is held in the block."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """Ctrl-C and the like stop the run in order; each transient error says how to continue."""
    try:
        with obeyed():
            yield
    except KeyboardInterrupt as error:
        raise Interrupted(
            "the run was stopped", where=str(folder), todo=_how_to_continue(folder)
        ) from error
    except AisciError as error:
        if error.transient:
            todo = _how_to_continue(folder)
            error.where = error.where or str(folder)
            if isinstance(error, BudgetSpent):  # unchanged, the run would only stop there again
                error.todo = error.todo.replace(" RUN ", f" {folder} ")
            elif isinstance(error, Interrupted):
                error.todo = todo
            else:
                error.todo = f"{error.todo}\n{todo}".strip()
        raise


def _how_to_continue(folder: Path) -> str:
    """Before its first line a run has asked nothing, and is not kept."""
    if (folder / JOURNAL).is_file():
        return f"continue with: aisci resume {folder}"
    return "start it again: nothing was asked or spent"
