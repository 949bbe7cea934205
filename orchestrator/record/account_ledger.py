"""What an account used of this machine, by month: one file that is only appended to, locked by every process.

Where the administrator names a ledger, it has one file for each account that the kernel lets nobody shorten or
remove (``chattr +a``). Else the file is the account's own, which the account can remove.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO, FileIO
from pathlib import Path

from orchestrator.core import machine_folder
from orchestrator.core.errors import BadFile
from orchestrator.core.files import data_home, disk_errors
from orchestrator.core.machine_folder import Untrusted

_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS
_APPEND = 0x20  # FS_APPEND_FL
_LONGEST = 400  # bytes of a line


@dataclass(frozen=True, slots=True)
class AccountUse:
    """US dollars and GPU seconds."""

    usd: float = 0.0
    gpu: float = 0.0

    def __add__(self, more: AccountUse) -> AccountUse:
        return AccountUse(self.usd + more.usd, self.gpu + more.gpu)


def _this_month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"


def _append_only(handle: int) -> bool:
    """Whether the kernel lets the file grow alone."""
    try:
        flags = fcntl.ioctl(handle, _GET_FLAGS, bytes(8))
    except OSError:  # a file system without such flags
        return False
    return bool(int.from_bytes(flags[:4], "little") & _APPEND)


@dataclass(slots=True)
class AccountLedger:
    """The file, and what was read of it so far. ``kept``: the administrator keeps it."""

    path: Path
    kept: bool
    month: Callable[[], str] = _this_month
    append_only: Callable[[int], bool] = _append_only
    _read: int = 0  # bytes
    _calls: dict[str, tuple[str, AccountUse]] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path | None) -> AccountLedger:
        """This account's file in the administrator's ``folder``, or among its own data."""
        if folder is None:
            return cls(data_home() / "spent" / "machine.jsonl", kept=False)
        return cls(folder / f"{os.getuid()}.jsonl", kept=True)

    @contextmanager
    def open(self) -> Iterator[FileIO]:
        """The file, locked. Raises :class:`BadFile` for one that the administrator does not keep as said."""
        if self.kept:
            self._require_folder()
        with disk_errors(self.path):
            if not self.kept:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(self.path, self._flags, 0o600)
            except OSError as error:
                raise self._unreliable(f"it cannot be opened: {error.strerror}") from error
            with FileIO(handle, "a+") as file:
                info = os.fstat(handle)
                if not stat.S_ISREG(info.st_mode):
                    raise self._unreliable("it is not a plain file")
                if self.kept and not self.append_only(handle):
                    raise self._unreliable("this account could shorten it")
                fcntl.flock(file, fcntl.LOCK_EX)
                self._follow(file, info.st_size)
                yield file

    @property
    def _flags(self) -> int:
        """Of the administrator's file nothing is made: one that is missing must not begin anew."""
        flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        return flags if self.kept else flags | os.O_CREAT

    def used(self) -> AccountUse:
        """What this month's lines say; only while the file is open."""
        now = self.month()
        return sum((use for month, use in self._calls.values() if month == now), AccountUse())

    def append(self, file: FileIO, call: str, month: str, use: AccountUse) -> None:
        """A call's use, in place of what an earlier line says of it."""
        line = {"call": call, "month": month, "usd": use.usd, "gpu": use.gpu}
        file.write(json.dumps(line).encode() + b"\n")
        self._follow(file, None)

    def _follow(self, file: FileIO, size: int | None) -> None:
        """Read what was added since the last time."""
        if size is not None and size < self._read:  # removed and made anew
            self._read, self._calls = 0, {}
        file.seek(self._read)
        for line in BytesIO(file.readall()):  # an unbuffered file reads lines byte by byte
            try:
                if len(line) > _LONGEST or not line.endswith(b"\n"):
                    raise ValueError("a line without its end")  # noqa: TRY301 - one place tells of a bad line
                said = json.loads(line)
                use = AccountUse(float(said["usd"]), float(said["gpu"]))
                if not (0 <= use.usd < math.inf and 0 <= use.gpu < math.inf):
                    raise ValueError("a use below zero")  # noqa: TRY301 - one place tells of a bad line
                self._calls[str(said["call"])] = (str(said["month"]), use)
            except (ValueError, LookupError, TypeError) as error:
                raise self._unreliable(f"aisci writes no such line: {error}") from None
            self._read += len(line)

    def _require_folder(self) -> None:
        place = machine_folder.MACHINE
        try:
            there = place.holds(self.path.parent, folder=True)
        except Untrusted as found:
            raise self._unreliable(f"its folder: {found.why}") from found
        if not there:
            raise self._unreliable("its folder does not exist")

    def _unreliable(self, why: str) -> BadFile:
        make = f"install -m 600 -o {os.getuid()} /dev/null {self.path} && chattr +a {self.path}"
        todo = "correct the line, or move the file away: what it counted then counts no more"
        return BadFile(
            "the count of what this account used of the machine cannot be relied on",
            where=str(self.path),
            why=why,
            todo=f"its administrator, as root: {make}" if self.kept else todo,
        )
