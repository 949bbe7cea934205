"""The controls that a runtime enforces differently from runc, each with its reason.

Documentation, ``aisci policy explain`` and the sandbox's own checks read this one table. A test
compares it with a real container of that runtime: an exception that no longer occurs fails it.
"""

from __future__ import annotations

from dataclasses import dataclass

BIND = (
    "on XFS the workspace is a bind mount with the host's own options, which are attested; a program "
    "started from it has no more rights than the interpreter that wrote it"
)
"""What the ``xfs`` backend guarantees instead of ``nosuid,nodev,noexec``."""

CAP_SETS = ("CapEff", "CapPrm", "CapBnd", "CapAmb")
"""A process's sets of capabilities, as ``/proc/<pid>/status`` names them."""

LEAST_PIDS = {"runc": 1, "runsc": 96}
"""The minimum of ``resources.pids``: gVisor's own threads count against it. Measured with
the 2022 release: 64 do not suffice for a program that starts four threads, 80 do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One control under another runtime: what runc shows, what is seen instead, why, what still holds.

    ``unread`` are facts of a started container (``sandbox/job/verify.py``) that describe the
    runtime's own process there and not the job's.
    """

    control: str
    under_runc: str
    instead: str
    why: str
    holds: str
    unread: tuple[str, ...] = ()


def departures(runtime: str) -> tuple[Departure, ...]:
    """All of one runtime's; ``runc`` has none: it is the reference."""
    return _GVISOR if runtime == "runsc" else ()


def unread(runtime: str) -> frozenset[str]:
    """The facts that do not describe the job under ``runtime``."""
    return frozenset(fact for one in departures(runtime) for fact in one.unread)


_GVISOR = (
    Departure(
        control="user and capabilities",
        under_runc="the host's kernel shows the job's own process: its user, and no capability",
        instead="the host's kernel shows gVisor's process: user nobody, with SYS_ADMIN and SYS_CHROOT in a user "
        "namespace of its own, which is required, under no-new-privileges and gVisor's own filter",
        why="gVisor's kernel is a program; the job's processes exist only inside it",
        holds="gVisor gives the job the policy's user and no capability, read there before its program starts",
        unread=("Uid", "Gid", *CAP_SETS),
    ),
    Departure(
        control="process namespace",
        under_runc="the first process is in a namespace of its own",
        instead="gVisor's process is in the host's own",
        why="runsc starts it this way; the job's processes have no PID on the host",
        holds="the job sees only its own processes",
        unread=("own pid namespace",),
    ),
    Departure(
        control="open files, single file, core dumps",
        under_runc="the host's kernel shows the limits of the job's process",
        instead="the host's kernel shows those of gVisor's process, which are wider",
        why="these limits apply per process, and gVisor enforces the job's itself",
        holds="gVisor refuses files and bytes over the limit; it writes no core dumps",
        unread=("limit open files", "limit file size", "limit core file"),
    ),
    Departure(
        control="pids",
        under_runc="the limit counts the job's processes and threads",
        instead="the limit counts gVisor's threads on the host: about 65 of its own, and about one for "
        "each of the job's processes, regardless of that process's threads; at the limit gVisor itself aborts",
        why="the host's kernel does not see the job's processes",
        holds="a fork bomb ends with its whole container; threads use memory, which is limited; a limit "
        "below 96 pids is refused beforehand",
    ),
    Departure(
        control="memory",
        under_runc="the kernel kills one process of the job, and others may continue",
        instead="the kernel kills gVisor, and with it the whole container; about 25 MiB are gVisor's own",
        why="for the host, all of the job's memory belongs to gVisor",
        holds="the limit, with no swap",
    ),
    Departure(
        control="priority and OOM score",
        under_runc="the kernel refuses to let a job raise its priority or lower its oom_score_adj",
        instead="gVisor lets a job set both for itself",
        why="gVisor stores the two numbers and does not use them",
        holds="on the host, gVisor has the priority and the score that the engine set",
    ),
    Departure(
        control="seccomp",
        under_runc="the filter answers clone3 with ENOSYS",
        instead="the filter lets clone3 through to gVisor's kernel, which answers ENOSYS itself",
        why="gVisor's filter answers every refusal with EPERM, and libc then starts no thread",
        holds="every other rule, inside gVisor, which also runs under its own filter on the host",
    ),
    Departure(
        control="noexec on the workspace",
        under_runc="no file in it can be executed; it is also mounted `nodev` and `nosuid`",
        instead="a file in it that is made executable can be executed, and it is mounted without the other two",
        why="gVisor does not apply the volume's mount options",
        holds="such a program has no more rights than the interpreter that wrote it; no device can be "
        "created, and a setuid program runs as its caller",
    ),
    Departure(
        control="inodes in /tmp",
        under_runc="storage.inodes applies there too",
        instead="storage.inodes does not apply there",
        why="gVisor's tmpfs has no such limit",
        holds="each inode uses memory, which is limited; the workspace's inodes are limited",
    ),
    Departure(
        control="a full /tmp",
        under_runc="the host sees it: the verdict is `out of storage`",
        instead="only the job sees it: `failed`, with `storage` or `file size` suspected",
        why="it is in gVisor's memory, which the host cannot inspect",
        holds="storage.tmp itself",
    ),
    Departure(
        control="named pipes and sockets in the workspace",
        under_runc="they are on the volume, and the harvest refuses them by name",
        instead="they exist only in gVisor's kernel and disappear with it",
        why="gVisor's access to the volume creates only files and folders",
        holds="they are never harvested; the list of refused files does not name them",
    ),
)
