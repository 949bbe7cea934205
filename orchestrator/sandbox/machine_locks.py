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
from contextlib import contextmanager
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
        name = f"{_RESERVED}{memory}-{os.getpid()}-{secrets.token_hex(4)}"
        handle = self._open(f".{name}")
        fcntl.flock(handle, fcntl.LOCK_EX)
        self._own.add(name)
        # Named only once it is held: another process removes a free one as a dead process's.
        (self._folder / f".{name}").rename(self._folder / name)
        try:
            yield
        finally:
            (self._folder / name).unlink(missing_ok=True)
            self._own.discard(name)
            os.close(handle)

    def reserved_by_others(self) -> Reserved:
        """What other processes hold now; what a dead one left is removed."""
        jobs = memory = 0
        found = self._folder.glob(f"{_RESERVED}*") if self._folder.is_dir() else ()
        for path in found:
            match = re.fullmatch(rf"{_RESERVED}(\d{{1,18}})-\d+-[0-9a-f]+", path.name)
            if match is None or path.name in self._own:
                continue
            handle = self.take(path.name)
            if handle is None:
                jobs, memory = jobs + 1, memory + int(match[1])
            else:
                path.unlink(missing_ok=True)
                os.close(handle)
        return Reserved(jobs, memory)

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
