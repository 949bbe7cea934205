"""System calls by their numbers, each in a child of its own, with arguments that do nothing.

A call gets through unless it is refused: with ``EPERM``, ``EACCES`` or ``ENOSYS``. Any other
error says that the kernel took it, and only then found its arguments to be none. A call that the
bare container's kernel does not have at all is no attempt: there is nothing to refuse.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Callable

from probing import BARE, LIBC, attempt

NOWHERE = 1  # a pointer that leads nowhere; what is let through ends at it
NONE = -1  # no such descriptor, process or user
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
COLUMN = {"x86_64": 0, "aarch64": 1}

# By name, for x86-64 and for arm64; None where that machine has no such call.
CALLS: dict[str, tuple[int, int | None]] = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280),
    "chroot": (161, 51), "clock_adjtime": (305, 266), "clock_settime": (227, 112),
    "clone": (56, 220), "clone3": (435, 435), "delete_module": (176, 106),
    "fanotify_init": (300, 262), "finit_module": (313, 273), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fsopen": (430, 430), "fspick": (433, 433), "init_module": (175, 105),
    "io_setup": (206, 0), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425), "ioctl": (16, 29), "ioperm": (173, None), "iopl": (172, None),
    "kcmp": (312, 272), "kexec_file_load": (320, 294), "kexec_load": (246, 104),
    "keyctl": (250, 219), "landlock_create_ruleset": (444, 444), "memfd_secret": (447, 447),
    "migrate_pages": (256, 238), "modify_ldt": (154, None), "mount": (165, 40),
    "mount_setattr": (442, 442), "move_mount": (429, 429), "move_pages": (279, 239),
    "mq_open": (240, 180), "msgget": (68, 186), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241),
    "personality": (135, 92), "pidfd_getfd": (438, 438), "pivot_root": (155, 41),
    "process_madvise": (440, 440), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60),
    "reboot": (169, 142), "request_key": (249, 218), "seccomp": (317, 277), "semget": (64, 190),
    "setdomainname": (171, 162), "sethostname": (170, 161), "setns": (308, 268),
    "settimeofday": (164, 170), "shmget": (29, 194), "socket": (41, 198), "socketpair": (53, 199),
    "swapoff": (168, 225), "swapon": (167, 224), "syslog": (103, 116), "umount2": (166, 39),
    "unshare": (272, 97), "userfaultfd": (323, 282), "vmsplice": (278, 75),
}  # fmt: skip


def call(name: str, *words: int, told: str = "") -> None:
    """Try one call; ``told`` is the attempt's name, where one call is tried in several ways."""
    number = CALLS[name][COLUMN[os.uname().machine]]
    if number is None:
        return

    def made() -> int:
        got = LIBC.syscall(*map(ctypes.c_long, (number, *words)))
        return ctypes.get_errno() if got < 0 else 0

    tried(told or name, made)


def tried(name: str, made: Callable[[], int]) -> None:
    """Run ``made`` in a child; the error number that it returns says whether it got through."""
    child = os.fork()
    if child == 0:
        os._exit(made())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if BARE and code == errno.ENOSYS:
        return

    def answered() -> str:
        if code < 0:
            raise OSError(errno.EPERM, f"the process was ended by {signal.Signals(-code).name}")
        if code in REFUSED:
            raise OSError(code, os.strerror(code))
        return os.strerror(code) if code else "done"

    attempt(name, answered)
