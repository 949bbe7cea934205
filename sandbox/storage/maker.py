"""Makes quota'd block devices: an ext4 image behind a loop device, for the engine to mount.

Runs as root in a trusted container with two capabilities (MKNOD, SYS_ADMIN) and no network;
it never sees a byte that a model wrote. It speaks JSON lines on stdin and stdout::

    {"op": "make", "bytes": 67108864, "inodes": 4096, "uid": 65534, "gid": 65534}
    → {"ok": true, "device": "/dev/loop3"}
    {"op": "release", "device": "/dev/loop3"}      once the engine has mounted it
    → {"ok": true}

Nothing can leak, whoever dies when: the image has no name from its first moment, and the loop
device clears itself when its last user (this process, later the mount) lets go of it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import struct
import subprocess
import sys
from typing import Any

POOL = os.environ.get("AISCI_POOL", "/pool")
LOOP_MAJOR, CONTROL_MAJOR, CONTROL_MINOR = 7, 10, 237
LOOP_SET_FD, LOOP_CLR_FD, LOOP_SET_STATUS64, LOOP_CTL_GET_FREE = 0x4C00, 0x4C01, 0x4C04, 0x4C82
AUTOCLEAR = 4
# struct loop_info64: 5 × u64, 4 × u32 (the last one is the flags), two names, a key, 2 × u64
INFO64 = struct.Struct("=5Q4I64s64s32s2Q")


def main() -> None:
    """Answer requests until stdin ends; then every device that was not mounted is free again."""
    held: dict[str, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = answer_to(request, held)
        except OSError as error:
            answer = {"ok": False, "error": str(error), "errno": error.errno}
        except subprocess.CalledProcessError as error:
            answer = {"ok": False, "error": f"{error.cmd[0]}: {error.stderr.strip()}", "errno": 0}
        print(json.dumps(answer), flush=True)


def answer_to(request: dict[str, Any], held: dict[str, int]) -> dict[str, Any]:
    """Do one request; ``held`` maps each device to the descriptor that keeps it alive."""
    if request["op"] == "release":
        os.close(held.pop(request["device"]))
        return {"ok": True}
    image = nameless_image(request["bytes"])
    try:
        device, descriptor = attach(image)
    finally:
        os.close(image)
    try:
        make_filesystem(device, request)
    except BaseException:
        os.close(descriptor)
        raise
    held[device] = descriptor
    return {"ok": True, "device": device}


def nameless_image(size: int) -> int:
    """An open file of ``size`` reserved bytes that no folder lists."""
    image = os.open(POOL, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(image, 0, size)  # reserved now, so that a full host shows here
    except BaseException:
        os.close(image)
        raise
    return image


def attach(image: int) -> tuple[str, int]:
    """Put a free loop device before ``image``, set to clear itself after its last user."""
    node("/dev/loop-control", stat.S_IFCHR, CONTROL_MAJOR, CONTROL_MINOR)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(64):  # another process may take the free one first
            number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            device = f"/dev/loop{number}"
            node(device, stat.S_IFBLK, LOOP_MAJOR, number)
            descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(descriptor, LOOP_SET_FD, image)
            except OSError as error:
                os.close(descriptor)
                if error.errno != errno.EBUSY:
                    raise
                continue
            autoclear(descriptor)
            return device, descriptor
    finally:
        os.close(control)
    raise OSError(errno.EBUSY, "no loop device stayed free long enough to be taken")


def autoclear(descriptor: int) -> None:
    """Ask the kernel to detach the device when it is closed for the last time."""
    name = b"aisci".ljust(64, b"\0")
    info = INFO64.pack(0, 0, 0, 0, 0, 0, 0, 0, AUTOCLEAR, name, bytes(64), bytes(32), 0, 0)
    try:
        fcntl.ioctl(descriptor, LOOP_SET_STATUS64, info)
    except OSError:
        fcntl.ioctl(descriptor, LOOP_CLR_FD, 0)
        os.close(descriptor)
        raise


def node(path: str, kind: int, major: int, minor: int) -> None:
    """The device node of this container's own ``/dev``; the engine's rules say which open."""
    with contextlib.suppress(FileExistsError):
        os.mknod(path, kind | 0o600, os.makedev(major, minor))


def make_filesystem(device: str, request: dict[str, Any]) -> None:
    """ext4 with no journal, no reserve, ``inodes`` inodes and a root owned by the job's user."""
    options = f"root_owner={request['uid']}:{request['gid']},lazy_itable_init=1,nodiscard"
    run("mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-I", "256", "-O", "^has_journal",
        "-N", str(request["inodes"]), "-E", options, device)  # fmt: skip
    run("debugfs", "-w", "-R", "rmdir lost+found", device)  # a job starts in an empty folder


def run(*argv: str) -> None:
    """Run a program of this image; its error text travels in the answer."""
    subprocess.run(argv, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    main()
