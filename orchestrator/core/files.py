"""Names and writes of files: whole or not at all, a full disk as one error."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from orchestrator.core.errors import AisciError, DiskFull

UNFINISHED = ".new-"
"""The prefix of a file that is still being written."""


@contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Raise a full disk or an exhausted quota as :class:`DiskFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(
            "the disk is full; nothing was half-written",
            where=str(where),
            why=str(error.strerror),
            todo="free some space, then `aisci resume` the run: no recorded call is paid again",
        ) from error


RESERVED = frozenset({"journal.jsonl", "blobs", "evidence", "history.git", "report.html"})


def cache_home() -> Path:
    """The user's folder for what can be made again: ``$XDG_CACHE_HOME/aisci``."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "aisci"


def config_home() -> Path:
    """The folder of what the user sets for every run: ``$XDG_CONFIG_HOME/aisci``."""
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "aisci"


def shipped_root() -> Path:
    """The folder that holds ``templates/``, ``policies/`` and ``sandbox/``.

    In an installed wheel they are below this package; in a checkout, one folder above it.
    """
    package = Path(__file__).parent.parent
    return package / "data" if (package / "data").is_dir() else package.parent


def slug(name: str) -> str:
    """A name from a model as a file name: lower-case letters, digits, underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] or "idea"


def utf8_text(data: bytes, what: str, where: str, error: type[AisciError]) -> str:
    """Decode a user's file, named ``what`` in the message. Raises ``error`` if it is not UTF-8."""
    if why := why_not_utf8(data):
        raise error(
            f"{what} is not UTF-8 text",
            where=where,
            why=why,
            todo="save it as UTF-8 in your editor, or put a text file in its place",
        )
    return data.decode("utf-8")


def why_not_utf8(data: bytes) -> str:
    """What a file that is no UTF-8 text is, in words; empty where it is text."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as problem:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "it is UTF-16"
        if b"\0" in data:
            return (
                f"it is binary: byte {data.index(0)} is 0, and byte {problem.start} is no character"
            )
        return f"byte {problem.start} is not part of a character: it may be Latin-1"
    return ""


def plain_lines(text: str) -> str:
    """``text`` without a byte order mark, each line ended by a newline alone."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def usual_mode(handle: int) -> None:
    """Give an open file the mode that the user's umask asks for; temporary files have 0600.

    By its handle: through a name, a link that somebody put there in the meantime would be followed.
    """
    status = Path("/proc/self/status").read_text("ascii", errors="replace")
    umask = next(line.split()[1] for line in status.splitlines() if line.startswith("Umask:"))
    os.fchmod(handle, 0o666 & ~int(umask, 8))


@contextmanager
def replacing(path: Path) -> Iterator[BufferedWriter]:
    """A new file that takes the place of ``path`` at the end of the block, whole or not at all."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                usual_mode(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def write(path: Path, data: bytes | str) -> None:
    """Write whole or not at all."""
    with replacing(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process was writing; only the run's single writer may call this."""
    for path in folder.rglob(f"{UNFINISHED}*"):
        if path.is_file() and not path.is_symlink():
            path.unlink()


def data_home() -> Path:
    """The folder of what aisci keeps for this user on this machine."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "aisci"
