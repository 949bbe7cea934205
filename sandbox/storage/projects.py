"""Makes quota'd folders: an XFS project of its own for each, with hard bytes and inodes.

Runs as root in a trusted container without network, in the machine's own user namespace: with
SYS_ADMIN and MKNOD it sets quotas, with CHOWN it gives a folder to its job, with DAC_OVERRIDE and
FOWNER it empties one. It reads no file that a model wrote; names it only unlinks. It speaks JSON lines
on stdin and stdout::

    {"op": "make", "name": "1f2e", "bytes": 67108864, "inodes": 4096, "uid": 65534, "gid": 65534}
    → {"ok": true}
    {"op": "free", "name": "1f2e"}      once nothing has it mounted
    → {"ok": true}

Sources: quotactl(2), ioctl_xfs_fsgetxattr(2), linux/dqblk_xfs.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import secrets
import stat
import struct
import sys
from pathlib import Path
from typing import Any

POOL = Path(os.environ.get("AISCI_POOL", "/pool"))
DEVICE = "/dev/aisci-disk"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
GET_ATTRIBUTES, SET_ATTRIBUTES = 0x801C581F, 0x401C5820  # FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR
INHERIT = 0x200  # FS_XFLAG_PROJINHERIT: what is made in the folder belongs to its project
ATTRIBUTES = struct.Struct("=5I8s")  # struct fsxattr: flags, extents, count, project, …
# struct fs_disk_quota: version, kind, which fields, id; four limits and two counts; the rest
QUOTA = struct.Struct("=bbHI6Q56s")
GET_QUOTA, SET_LIMITS, GET_STATE = 0x5803, 0x5804, 0x5805
PROJECT, HARD, BLOCK = 2, 0x2 | 0x8, 512  # inodes and blocks; a block of quotas is 512 bytes
ENFORCED = 0x10 | 0x20  # projects are counted, and their limits held
LEAST = 1 << 30  # ids that people and engines give by hand are small

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Answer requests until stdin ends."""
    projects: dict[str, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["op"] == "make":
                projects[request["name"]] = make(request)
            else:
                free(request["name"], projects.pop(request["name"]))
            answer: dict[str, Any] = {"ok": True}
        except OSError as error:
            answer = {"ok": False, "error": str(error), "errno": error.errno}
        print(json.dumps(answer), flush=True)


def make(request: dict[str, Any]) -> int:
    """A folder in a fresh project with both limits set, given to the job's user; its project."""
    find_disk()
    room = os.statvfs(POOL)
    if room.f_bavail * room.f_frsize < request["bytes"]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    project = fresh()
    limit(project, request["bytes"] // BLOCK, request["inodes"])
    path_of(request["name"]).mkdir(0o755)
    folder = os.open(path_of(request["name"]), FOLDER)
    try:
        join(folder, project)
        os.fchown(folder, request["uid"], request["gid"])
    finally:
        os.close(folder)
    return project


def free(name: str, project: int) -> None:
    """Remove the folder, whatever a job made in it, and forget the project's limits."""
    limit(project, 0, 0)
    folder = os.open(path_of(name), FOLDER)
    try:
        while empty(folder):
            pass
    finally:
        os.close(folder)
    path_of(name).rmdir()


def empty(top: int) -> bool:
    """Unlink each file and lift each subfolder's own folders to the top; whether any is left.

    However deep a job nested its folders, no more than two are open and no path grows long.
    """
    left = False
    for name in os.listdir(top):
        if not remove(name, top):
            continue
        left = True
        below = os.open(name, FOLDER, dir_fd=top)
        try:
            for inner in os.listdir(below):  # noqa: PTH208  # an open folder
                if remove(inner, below):
                    os.rename(inner, fresh_name(), src_dir_fd=below, dst_dir_fd=top)
        finally:
            os.close(below)
    return left


def remove(name: str, folder: int) -> bool:
    """Unlink what is no folder, or is an empty one; whether a filled folder is there."""
    seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISDIR(seen.st_mode):
        os.unlink(name, dir_fd=folder)
        return False
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        return True
    return False


def fresh_name() -> str:
    """A name that no job can have foreseen."""
    return secrets.token_hex(16)


def path_of(name: str) -> Path:
    """The pool's folder of one job; the name comes from the orchestrator, and is one part."""
    if not name.isalnum():
        raise OSError(errno.EINVAL, "not a folder's name")
    return POOL / name


def find_disk() -> None:
    """Make the node of the pool's own disk, and see that its projects' limits are enforced."""
    disk = POOL.stat().st_dev
    with contextlib.suppress(FileExistsError):
        os.mknod(DEVICE, stat.S_IFBLK | 0o600, disk)
    state = bytearray(256)  # struct fs_quota_stat: a version, then the flags
    quotactl(GET_STATE, 0, state)
    if int.from_bytes(state[2:4], sys.byteorder) & ENFORCED != ENFORCED:
        raise OSError(errno.ENOTSUP, "mounted without prjquota")


def fresh() -> int:
    """A project that nobody uses: it has no limit, no block and no inode."""
    while True:
        project = LEAST + secrets.randbelow(LEAST)
        record = bytearray(QUOTA.size)
        try:
            quotactl(GET_QUOTA, project, record)
        except FileNotFoundError:
            return project
        if not any(QUOTA.unpack(record)[4:10]):
            return project


def limit(project: int, blocks: int, inodes: int) -> None:
    """Set both hard limits; 0 takes them away."""
    record = QUOTA.pack(1, PROJECT, HARD, project, blocks, 0, inodes, 0, 0, 0, b"")
    quotactl(SET_LIMITS, project, bytearray(record))


def quotactl(command: int, project: int, record: bytearray) -> None:
    """quotactl(2) for projects on the pool's disk. Raises OSError with the kernel's word."""
    room = (ctypes.c_char * len(record)).from_buffer(record)
    if libc.quotactl((command << 8) | PROJECT, DEVICE.encode(), project, room) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"quotactl: {os.strerror(number)}")


def join(folder: int, project: int) -> None:
    """Put an open, empty folder into a project, with all that will ever be made in it."""
    have = bytearray(ATTRIBUTES.size)
    fcntl.ioctl(folder, GET_ATTRIBUTES, have)
    flags, extents, count, _, copies, rest = ATTRIBUTES.unpack(have)
    want = ATTRIBUTES.pack(flags | INHERIT, extents, count, project, copies, rest)
    fcntl.ioctl(folder, SET_ATTRIBUTES, want)


if __name__ == "__main__":
    main()
