"""Taking space: files of some size, in a folder that is removed afterwards."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

MIB = 1 << 20
PIECE = bytes(MIB)
PIECES = 8  # of a file: below the limit of a single one


def fill(place: str, size: int) -> str:
    """Write that many bytes below ``place``. Raises OSError where there is no room for them."""
    with folder_in(place) as folder:
        return f"{write(folder, size) // MIB} MiB"


@contextmanager
def folder_in(place: str) -> Iterator[Path]:
    """A new folder there, for as long as the block takes."""
    folder = Path(place, "filled")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(folder: Path, size: int) -> int:
    """Files that take ``size`` bytes together, or a little more; how many they took."""
    wrote, number = 0, 0
    while wrote < size:
        with FileIO(folder / str(number), "w") as file:
            wrote += sum(put(file) for _ in range(PIECES))
        number += 1
    return wrote


def put(file: FileIO) -> int:
    """One piece, whole. Raises OSError where it does not go in whole."""
    if file.write(PIECE) < len(PIECE):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return len(PIECE)
