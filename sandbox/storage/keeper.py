"""Keeps a job's volume mounted, says how full it is, and at the end sends it home as a tar.

Runs in a trusted container that has the volume read-only, no network, and one capability
(DAC_READ_SEARCH, for what the job left unreadable). It starts before the code is copied in.
While the job runs it only asks the file system for totals; names and bytes that the job chose
are read after the job's container is gone, when nothing can change them any more. It speaks
JSON lines on stdin; answers are JSON lines on stdout, the last one is the tar::

    {"op": "stat"}                → {"bytes": …, "free": …, "inodes": …, "free_inodes": …}
    {"op": "census"}              → {"files": …, "largest": …}
    {"op": "send", "paths": ["run_1/"], "file": …, "bytes": …, "members": …,
     "depth": …}                  → tar, then exit

A file that the limits leave out is sent as a header of type ``Z`` whose link name is its size;
when there are more members than asked for, one header of type ``Y`` ends the archive. The
host decides by itself what it keeps; these limits only spare the pipe.
"""

from __future__ import annotations

import fnmatch
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

ROOT = os.environ.get("AISCI_VOLUME", "/volume")
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
TOO_LARGE, CUT_SHORT = b"Z", b"Y"
STEP = 1 << 20


def main() -> None:
    """Answer until the archive is sent or stdin ends."""
    own = room(0)["inodes"]  # what the file system itself takes of an empty volume
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "send":
            send(request, sys.stdout.buffer)
            return
        answer = room(own) if request["op"] == "stat" else census()
        print(json.dumps(answer), flush=True)


def room(own: int) -> dict[str, int]:
    """Bytes and inodes in use, and how many are free; ``own`` inodes are not the job's."""
    seen = os.statvfs(ROOT)
    return {
        "bytes": (seen.f_blocks - seen.f_bfree) * seen.f_frsize,
        "free": seen.f_bavail * seen.f_frsize,
        "inodes": seen.f_files - seen.f_ffree - own,
        "free_inodes": seen.f_ffree,
    }


def census() -> dict[str, int]:
    """How many files the volume holds, and the largest's apparent size in bytes."""
    files = largest = 0
    root = os.open(ROOT, FOLDER)
    try:
        for entry in walk(root, b"", 64):
            files += 1
            if stat.S_ISREG(entry.mode):
                largest = max(largest, entry.size)
    finally:
        os.close(root)
    return {"files": files, "largest": largest}


@dataclass
class Entry:
    """One name below the volume's root, and the open folder that it stands in."""

    path: bytes
    mode: int
    size: int
    folder: int

    def open(self) -> int:
        """The regular file itself; nothing can have put a symlink there by now."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(os.path.basename(self.path), flags, dir_fd=self.folder)  # noqa: PTH119  # bytes


def walk(folder: int, prefix: bytes, depth: int) -> Iterator[Entry]:
    """Every name below the open ``folder``, by name, symlinks never followed.

    The file that decides about a run comes first: a limit to files must not take it.
    """
    names = (os.fsencode(name) for name in os.listdir(folder))
    for name in sorted(names, key=lambda name: (name != b"final_info.json", name)):
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        entry = Entry(prefix + name, seen.st_mode, seen.st_size, folder)
        yield entry
        if stat.S_ISDIR(seen.st_mode) and depth > 0:
            below = os.open(name, FOLDER, dir_fd=folder)
            try:
                yield from walk(below, entry.path + b"/", depth - 1)
            finally:
                os.close(below)


def wanted(path: str, depth: int) -> Iterator[Entry]:
    """The entries that one asked path stands for; a path through a symlink stands for itself.

    The last part may be a pattern (``*.png``), for the files of that one folder.
    """
    parts = [os.fsencode(part) for part in path.strip("/").split("/")]
    opened = [os.open(ROOT, FOLDER)]
    try:
        for index, part in enumerate(parts):
            if b"*" in part and index == len(parts) - 1:
                prefix = b"".join(above + b"/" for above in parts[:-1])
                found = walk(opened[-1], prefix, 0)
                yield from (one for one in found if fits(one, part))
                return
            try:
                seen = os.stat(part, dir_fd=opened[-1], follow_symlinks=False)
            except FileNotFoundError:
                return
            here = b"/".join(parts[: index + 1])
            last = index == len(parts) - 1
            if stat.S_ISDIR(seen.st_mode):
                opened.append(os.open(part, FOLDER, dir_fd=opened[-1]))
                if last:
                    yield from walk(opened[-1], here + b"/", depth - len(parts))
                continue
            yield Entry(here, seen.st_mode, seen.st_size, opened[-1])
            return
    finally:
        for descriptor in opened:
            os.close(descriptor)


def fits(entry: Entry, pattern: bytes) -> bool:
    """Whether a file's name, not a folder's, fits a shell pattern."""
    name = entry.path.rsplit(b"/", 1)[-1]
    return not stat.S_ISDIR(entry.mode) and fnmatch.fnmatchcase(name, pattern)


def send(request: dict[str, Any], out: BinaryIO) -> None:
    """Write the asked paths as a tar: regular files with their bytes, the rest as headers."""
    left, members = request["bytes"], request["members"]
    for path in request["paths"]:
        for entry in wanted(path, request["depth"] + 1):
            if members == 0:
                out.write(header(b"more", CUT_SHORT, 0, b""))
                finish(out)
                return
            members -= 1
            left -= send_entry(entry, min(left, request["file"]), out)
    finish(out)


def send_entry(entry: Entry, most: int, out: BinaryIO) -> int:
    """Write one entry; return how many bytes of content went out."""
    if not stat.S_ISREG(entry.mode):
        out.write(header(entry.path, kind_of(entry.mode), 0, b""))
        return 0
    if entry.size > most:
        out.write(header(entry.path, TOO_LARGE, 0, str(entry.size).encode()))
        return 0
    out.write(header(entry.path, b"0", entry.size, b""))
    with open(entry.open(), "rb") as file:  # noqa: PTH123  # a descriptor, no path
        remaining = entry.size
        while chunk := file.read(min(STEP, remaining)):
            out.write(chunk)
            remaining -= len(chunk)
    if remaining:
        raise OSError(f"{entry.path!r} is shorter than its size")
    out.write(bytes(-entry.size % 512))
    return entry.size


def kind_of(mode: int) -> bytes:
    """The tar type of what is no regular file."""
    kinds = {
        stat.S_IFLNK: b"2",
        stat.S_IFCHR: b"3",
        stat.S_IFBLK: b"4",
        stat.S_IFDIR: b"5",
        stat.S_IFIFO: b"6",
    }
    return kinds.get(stat.S_IFMT(mode), b"X")


def header(path: bytes, kind: bytes, size: int, link: bytes) -> bytes:
    """A ustar header, with a GNU long-name member before it where the path is long."""
    before = b""
    if len(path) > 100:
        name = path + b"\0"
        before = header(b"././@LongLink", b"L", len(name), b"") + name + bytes(-len(name) % 512)
    octal = b"%011o\0" % size if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    block = bytearray(512)
    block[0 : min(len(path), 100)] = path[:100]
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136] = octal
    block[136:148] = b"00000000000\0"
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = b"ustar  \0"
    block[148:156] = b"%06o\0 " % sum(block)
    return before + bytes(block)


def finish(out: BinaryIO) -> None:
    """The two empty blocks that end a tar."""
    out.write(bytes(1024))
    out.flush()


if __name__ == "__main__":
    main()
