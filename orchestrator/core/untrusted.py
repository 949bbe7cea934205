"""Reading a folder that somebody else may have made: plain files, each within a bound, no links.

A run is passed on to be audited, replayed and resumed. Whoever made its folder may have put a link,
a pipe, a file of many gigabytes or a very deep value where a plain file belongs.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from orchestrator.core.errors import BadFile, UnsafeFolder

MOST_DEPTH = 64  # of lists and mappings within a value
MOST_ENTRIES = 1_000_000  # of a folder
_HOLLOW, _ON_DISK = 256 << 20, 64  # bytes from which on a file must have a part of them on disk


class NotPlain(ValueError):
    """What is at a path, where a plain file of moderate size belongs."""


def open_plain(path: Path, most: int | None = None) -> BufferedReader:
    """Open a file for reading. It never blocks at a pipe and never follows a link.

    Raises :class:`NotPlain` for anything else, for more than ``most`` bytes, and without ``most`` for a file of
    holes, OSError.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise NotPlain("a link is in its place") from error
        raise
    info = os.fstat(handle)
    why = "" if stat.S_ISREG(info.st_mode) else "it is no plain file"
    if not why and most is not None and info.st_size > most:
        why = f"it has {info.st_size} bytes, over {most}"
    # Holes cost whoever made the file nothing, and its reader hours.
    if not why and most is None and info.st_size > max(_HOLLOW, _ON_DISK * info.st_blocks * 512):
        why = f"it has {info.st_size} bytes, and nearly all of them are holes"
    if why:
        os.close(handle)
        raise NotPlain(why)
    return os.fdopen(handle, "rb")


def read_plain(path: Path, most: int) -> bytes:
    """The bytes of a file. Raises as :func:`open_plain`."""
    with open_plain(path, most) as file:
        return file.read(most)


def read_named(path: Path, most: int) -> bytes:
    """The bytes of a file that a person named, or that lies in a folder that one did. Raises :class:`BadFile`."""
    try:
        return read_plain(path, most)
    except (NotPlain, OSError) as error:
        why = str(error) if isinstance(error, NotPlain) else str(error.strerror or error)
        raise BadFile(
            "this file cannot be read",
            where=str(path),
            why=why,
            todo=f"put a plain file of at most {most >> 20} MiB in its place",
        ) from error


def file_hash(path: Path) -> str:
    """The SHA-256 of a plain file, in hex; "" where it cannot be read."""
    try:
        with open_plain(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (NotPlain, OSError):
        return ""


def check_depth(value: Any) -> None:
    """Raise ValueError for a JSON value that is nested more than ``MOST_DEPTH`` times."""
    level, depth = [value], 0
    while level:
        if depth > MOST_DEPTH:
            raise ValueError(f"it is nested more than {MOST_DEPTH} times")
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += [part for part in one.values() if isinstance(part, dict | list)]
            elif isinstance(one, list):
                inner += [part for part in one if isinstance(part, dict | list)]
        level, depth = inner, depth + 1


def folder_entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """(path below ``folder``, whether it is a plain file) of everything in it but its folders.

    Links are named and not followed.
    """
    waiting, count = [""], 0
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as found:
            for entry in sorted(found, key=lambda one: one.name):
                count += 1
                if count > MOST_ENTRIES:
                    raise NotPlain(f"the folder has more than {MOST_ENTRIES} entries")
                name = f"{inside}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                else:
                    yield name, entry.is_file(follow_symlinks=False)


def denied_entries(folder: Path) -> Iterator[str]:
    """The path below ``folder`` of each file and folder in it that this account may not read."""
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as found:
            for entry in sorted(found, key=lambda one: one.name):
                a_folder = entry.is_dir(follow_symlinks=False)
                if a_folder or entry.is_file(follow_symlinks=False):
                    if not os.access(entry.path, os.R_OK | (os.X_OK if a_folder else 0)):
                        yield f"{inside}{entry.name}"
                    elif a_folder:
                        waiting.append(f"{inside}{entry.name}/")


def require_plain(folder: Path) -> None:
    """Raise :class:`UnsafeFolder` if a folder holds anything but plain files and folders."""
    odd = next((name for name, plain in folder_entries(folder) if not plain), None)
    if odd is not None or folder.is_symlink():
        raise UnsafeFolder(
            "the run's folder holds a link or a special file",
            where=str(folder / (odd or "")),
            why="what is written or read through it would be outside of the run",
            todo="aisci makes none: remove it, or take the run from where it was recorded",
        )
