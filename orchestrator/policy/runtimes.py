"""Where a runtime holds a control in another way than runc does, each with its reason.

Documentation, ``aisci policy explain`` and the sandbox's own checks read this one table. A test
holds it against a real container of that runtime: an exception that no longer occurs fails it.
"""

from __future__ import annotations

from dataclasses import dataclass

BIND = (
    "on XFS the workspace is a bind mount with the host's own options, which are attested; what is "
    "started from it has no more rights than the interpreter that wrote it"
)
"""What the ``xfs`` backend promises in the place of ``nosuid,nodev,noexec``."""

LEAST_PIDS = {"runc": 1, "runsc": 96}
"""What ``resources.pids`` may not be below: gVisor's own threads count against it. Measured with
the 2022 release: 64 do not suffice for a program that starts four threads, 80 do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One control under one runtime: what runc shows, what is seen instead, why, what holds yet.

    ``unread`` names the facts of a started container (see ``edges/checks.py``) that the host
    reads of the runtime's own process there and not of the job's.
    """

    runtime: str
    control: str
    under_runc: str
    instead: str
    why: str
    holds: str
    unread: tuple[str, ...] = ()


def departures(runtime: str) -> tuple[Departure, ...]:
    """All of one runtime's; ``runc`` has none: it is what the others are measured by."""
    return tuple(one for one in _ALL if one.runtime == runtime)


def unread(runtime: str) -> frozenset[str]:
    """The facts that say nothing about a job under ``runtime``."""
    return frozenset(fact for one in departures(runtime) for fact in one.unread)


_CAPABILITIES = ("CapEff", "CapPrm", "CapBnd", "CapAmb")

_ALL = (
    Departure(
        runtime="runsc",
        control="user and capabilities",
        under_runc="the host's kernel shows the job's own process: its user, and no capability",
        instead="the host's kernel shows gVisor's process: user nobody, with SYS_ADMIN and SYS_CHROOT in a user "
        "namespace of its own, which is required, under no-new-privileges and gVisor's own filter",
        why="gVisor's kernel is a program; the job's processes exist in it alone",
        holds="gVisor gives the job the policy's user and no capability, read there before its program starts",
        unread=("Uid", "Gid", *_CAPABILITIES),
    ),
    Departure(
        runtime="runsc",
        control="process namespace",
        under_runc="the first process is in a namespace of its own",
        instead="gVisor's process is in the host's own",
        why="runsc starts it so; the job's processes have no number on the host at all",
        holds="the job sees its own processes and no other",
        unread=("own pid namespace",),
    ),
    Departure(
        runtime="runsc",
        control="open files, single file, core dumps",
        under_runc="the host's kernel shows the limits of the job's process",
        instead="the host's kernel shows those of gVisor's process, which are wider",
        why="these limits belong to a process, and the job's are gVisor's own matter",
        holds="gVisor refuses the file too many and the byte too many; it writes no core dumps",
        unread=("limit open files", "limit file size", "limit core file"),
    ),
    Departure(
        runtime="runsc",
        control="pids",
        under_runc="the limit counts the job's processes and threads",
        instead="the limit counts gVisor's threads on the host: some 65 for itself, and about one for "
        "each of the job's processes, however many threads that has; at the limit gVisor itself breaks off",
        why="the host's kernel does not know the job's processes",
        holds="a fork bomb ends, with its whole container; threads cost memory, which counts; fewer than 96 "
        "pids are refused beforehand",
    ),
    Departure(
        runtime="runsc",
        control="memory",
        under_runc="the kernel kills one process of the job, and others may live on",
        instead="the kernel kills gVisor, and with it the whole container; some 25 MiB are gVisor's own",
        why="all of the job's memory is gVisor's, seen from the host",
        holds="the limit, with no swap",
    ),
    Departure(
        runtime="runsc",
        control="priority, and being spared when memory is out",
        under_runc="the kernel refuses a job a better priority than it has, and a lower oom_score_adj",
        instead="gVisor lets a job set both for itself",
        why="gVisor keeps the two numbers and does nothing with them",
        holds="for the host's kernel gVisor has the priority and the score that the engine gave it",
    ),
    Departure(
        runtime="runsc",
        control="seccomp",
        under_runc="clone3 is answered ENOSYS by the filter",
        instead="the filter lets clone3 through to gVisor's kernel, which answers ENOSYS itself",
        why="gVisor's filter answers every refusal with EPERM, at which libc starts no thread",
        holds="every other rule, inside gVisor, which puts a filter of its own around itself",
    ),
    Departure(
        runtime="runsc",
        control="noexec on the workspace",
        under_runc="nothing in it can be started as a program; it is mounted `nodev` and `nosuid` as well",
        instead="a file in it that is made executable can be started, and it is mounted with neither of the two",
        why="gVisor does not carry the volume's mount options over",
        holds="what is started so has no more rights than the interpreter that wrote it; no device can be made, "
        "and a set-user-id program runs as its caller",
    ),
    Departure(
        runtime="runsc",
        control="inodes in /tmp",
        under_runc="storage.inodes binds there too",
        instead="storage.inodes does not bind there",
        why="gVisor's tmpfs knows no such limit",
        holds="every one costs memory that counts; the workspace's inodes are limited",
    ),
    Departure(
        runtime="runsc",
        control="a full /tmp",
        under_runc="seen by the host: the verdict is `out of storage`",
        instead="seen by the job alone: `failed`, with `storage` or `file size` suspected",
        why="it lies inside gVisor's memory, where the host cannot look",
        holds="storage.tmp itself",
    ),
    Departure(
        runtime="runsc",
        control="named pipes and sockets in the workspace",
        under_runc="they lie on the volume, and the harvest refuses them by name",
        instead="they are inside gVisor's kernel alone and are gone with it",
        why="gVisor's way to the volume makes files and folders",
        holds="they are never brought home; they are not named among what was refused",
    ),
)
