"""Finds out whether a volume's quota holds, by writing past it as an ordinary user.

Asked ``{"op": "probe", "bytes": …, "inodes": …}`` on stdin, it answers with what it could
write before the file system refused, or null where nothing refused. Before that it tries, as a
job might, to take the folder and its files out of the quota: an XFS project is an attribute of
each file, and its owner may change that unless something forbids it. ``left`` says whether it
could.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import struct
import sys
from pathlib import Path

ROOT = Path(os.environ.get("AISCI_VOLUME", "/volume"))
STEP = 1 << 20
GET_ATTRIBUTES, INHERIT = 0x801C581F, 0x200  # FS_IOC_FSGETXATTR, FS_XFLAG_PROJINHERIT
# FS_IOC_FSSETXATTR with a struct fsxattr of zeros, no project; FS_IOC_SETFLAGS with no flag
WAYS_OUT = ((0x401C5820, bytes(28)), (0x40086602, bytes(8)))


def main() -> None:
    """Answer one request after another."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = {
            "left": leave(ROOT),
            "wrote": write_past(request["bytes"]),
            "made": make_past(request["inodes"]),
        }
        print(json.dumps(answer), flush=True)


def leave(path: Path) -> bool:
    """Try each way to take the folder ``path`` out of its project; whether it is out of it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        before = project(descriptor)
        for request, argument in WAYS_OUT if before else ():
            with contextlib.suppress(OSError):
                fcntl.ioctl(descriptor, request, argument)
        return project(descriptor) != before
    finally:
        os.close(descriptor)


def project(descriptor: int) -> int:
    """The project that new files of an open folder will belong to; 0 where there is none."""
    seen = bytearray(28)  # struct fsxattr: flags, extents, count, project, …
    try:
        fcntl.ioctl(descriptor, GET_ATTRIBUTES, seen)
    except OSError:  # no such thing on this file system
        return 0
    flags, _, _, number = struct.unpack_from("=4I", seen)
    return number if flags & INHERIT else 0


def write_past(limit: int) -> int | None:
    """Write up to twice ``limit`` bytes; how many were taken before ENOSPC."""
    path, wrote = ROOT / "probe", 0
    try:
        with path.open("wb", buffering=0) as file:
            while wrote < 2 * limit:
                wrote += file.write(bytes(STEP))
                os.fdatasync(file.fileno())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return wrote
    finally:
        path.unlink(missing_ok=True)
    return None


def make_past(limit: int) -> int | None:
    """Make up to twice ``limit`` empty files, and some; how many before ENOSPC."""
    made: list[Path] = []
    try:
        for number in range(2 * limit + 64):
            path = ROOT / f"probe{number}"
            path.touch()
            made.append(path)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return len(made)
    finally:
        for path in made:
            path.unlink()
    return None


if __name__ == "__main__":
    main()
