"""Locks that all of a user's runs on this machine share: GPUs, memory, the building of images.

Each is a file in a folder of the user's own, held by ``flock``: the kernel releases it when its
process ends, however it ends. Other users' programs are not seen here; the driver and the kernel's
own counters show what they use.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.files import cache_home

_RESERVED = "memory-"


@dataclass(frozen=True, slots=True)
class Reserved:
    """Jobs, and the bytes of memory that they may use."""

    jobs: int
    memory: int


@dataclass(frozen=True, slots=True)
class TurnMark:
    """A number that one process shows to the others."""

    path: Path
    handle: int
    number: int


class MachineLocks:
    """The locks of one process in ``folder``, which is made when the first one is taken."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_home() / "locks"
        self._own: set[str] = set()

    def take(self, name: str) -> int | None:
        """Take a lock without waiting: a handle for :meth:`release`, or None if it is held."""
        handle = self._open(_file_name(name))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def release(self, handle: int) -> None:
        """Give a lock back; the file stays, for another one may be waiting at it."""
        os.close(handle)

    @contextmanager
    def held(self, name: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold a lock; ``waiting`` is called once if another process has it."""
        handle = self.take(name)
        if handle is None:
            waiting()
            handle = self._open(_file_name(name))
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            self.release(handle)

    @contextmanager
    def reserved(self, memory: int) -> Iterator[None]:
        """Let other processes count a job and ``memory`` bytes as in use during the block."""
        mark = self.mark(_RESERVED, memory)
        try:
            yield
        finally:
            self.unmark(mark)

    def reserved_by_others(self) -> Reserved:
        """What other processes hold now."""
        held = [memory for memory, _ in self.marks_of_others(_RESERVED)]
        return Reserved(len(held), sum(held))

    def mark(self, kind: str, number: int) -> TurnMark:
        """Show ``number`` to other processes until :meth:`unmark`, or until this process ends."""
        name = f"{kind}{number}-{os.getpid()}-{secrets.token_hex(4)}"
        handle = self._open(f".{name}")
        fcntl.flock(handle, fcntl.LOCK_EX)
        self._own.add(name)
        # Named only once it is held: another process removes a free one as a dead process's.
        return TurnMark((self._folder / f".{name}").rename(self._folder / name), handle, number)

    def unmark(self, mark: TurnMark) -> None:
        """Show it no longer."""
        mark.path.unlink(missing_ok=True)
        self._own.discard(mark.path.name)
        os.close(mark.handle)

    def marks_of_others(self, kind: str) -> Iterator[tuple[int, float]]:
        """The numbers that other processes show, and when each last touched its own, in seconds since the
        epoch; what a dead one left is removed.
        """
        for path in self._folder.glob(f"{kind}*") if self._folder.is_dir() else ():
            match = re.fullmatch(rf"{kind}(\d{{1,18}})-\d+-[0-9a-f]+", path.name)
            if match is None or path.name in self._own:
                continue
            handle = self.take(path.name)
            if handle is None:
                with suppress(FileNotFoundError):  # unmarked meanwhile
                    yield int(match[1]), path.stat().st_mtime
            else:
                path.unlink(missing_ok=True)
                os.close(handle)

    def _open(self, name: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._folder / name, flags, 0o600)
        except OSError as error:
            raise ControlUnavailable(
                "the locks that your runs on this machine share cannot be written",
                where=str(self._folder),
                why=str(error.strerror),
                todo="set XDG_CACHE_HOME to a folder that you may write to",
            ) from error


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:200]
