"""The kernel's report on a container, its use of resources, and whether its verdict follows."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields

from orchestrator.audit.calls import AuditedContainer
from orchestrator.audit.finding import AuditFinding
from orchestrator.core.job import UNREAD, Limits, Verdict
from orchestrator.policy.runtimes import unread
from orchestrator.record.attestation import suspected, verdict

_NO_LIMIT = "no limit"
_SPACES = tuple(f"own {space} namespace" for space in ("net", "pid", "ipc", "mnt", "uts"))
_MOUNT, _RESOLVER = "mount of the workspace", "resolv.conf"
_EMPTY_RESOLVER = {"", "nameserver 127.0.0.1", "options ndots:1"}
_QUOTA_OPTIONS = frozenset({"nosuid", "nodev", "noexec"})
_STORAGES = ("xfs", "loop", "tmpfs")  # what keeps a workspace within its quota
_CHARGED = 1 << 20  # bytes that a kernel may charge past a memory limit
_GROUP, _IN_BLOCK = 128 << 20, 16  # ext4 allocates whole blocks of inodes in each block group
_DEATH = 90.0  # seconds past wall and grace within which a killed container must have ended
_BETWEEN = 2.0  # seconds between two samples, in which each CPU may run on unnoticed
_AS_ROOT = "nothing, where you trust the engine; a run by root has them read"
_LATE = 10.0  # seconds in which the host reads the last output of a job that ended itself


def kernel_findings(container: AuditedContainer) -> Iterator[AuditFinding]:
    """Rights that the kernel reports beyond the requested ones, and limits that it lacks."""
    box = container.evidence
    seen, limits = dict(box.seen), container.limits
    # Another kernel, such as gVisor's, does not report these names truthfully.
    unreported = unread(limits.runtime)
    wrong = [
        f"{name} was {seen.get(name)!r}, not {value!r}"
        for name, value in _rights(limits).items()
        if name not in unreported and seen.get(name) != value
    ]
    wrong += [
        f"{name}: the container shared the host's"
        for name in _SPACES
        if seen.get(name, UNREAD) not in ("yes", UNREAD) and name not in unreported
    ]
    wrong += [
        f"{name} was {seen.get(name, _NO_LIMIT)}, not {limit} or less"
        for name, limit in _limits(limits).items()
        if name not in unreported and not _at_most(seen.get(name, _NO_LIMIT), limit)
    ]
    mount = seen.get(_MOUNT, UNREAD)
    if mount != UNREAD and box.storage != "xfs":
        missing = _QUOTA_OPTIONS - set(mount.partition(" ")[2].split(","))
        wrong += [f"the workspace was mounted without {', '.join(sorted(missing))}"] * bool(missing)
    if set(seen.get(_RESOLVER, "").split("; ")) - _EMPTY_RESOLVER - {UNREAD}:
        wrong.append("resolv.conf named name servers or domains of the host's")
    for what in wrong:
        yield container.finding("kernel", f"reported by the kernel: {what}")
    for what, told, known in (
        ("runtime", box.runtime, (limits.runtime,)),
        ("storage", box.storage, _STORAGES),
    ):
        if told not in known:
            text = f"the evidence names the {what} {told!r}, not {' or '.join(known)}"
            yield container.finding("kernel", text)
    yield from _unread(container, seen)


def _unread(container: AuditedContainer, seen: Mapping[str, str]) -> Iterator[AuditFinding]:
    """A note of the facts that only root may read, where the run's user was another."""
    # gVisor's process has no such mount.
    facts = (*_SPACES, _RESOLVER, *(() if container.limits.runtime == "runsc" else (_MOUNT,)))
    missing = [
        name
        for name in facts
        if seen.get(name, UNREAD) == UNREAD and name not in unread(container.limits.runtime)
    ]
    if missing:
        what = f"known from the engine alone, not read from the kernel: {', '.join(missing)}"
        why = "only root may read them, and the run's user was another"
        yield AuditFinding("kernel", container.where, what, why, _AS_ROOT, "noted")


def _rights(limits: Limits) -> dict[str, str]:
    """The required status of the first process; with another kernel, also as that one reports it."""
    uid, _, gid = limits.user.partition(":")
    rights = {"Uid": " ".join([uid] * 4), "Gid": " ".join([gid] * 4)}
    rights |= {"NoNewPrivs": "1", "Seccomp": "2"}
    rights |= dict.fromkeys(("CapEff", "CapPrm", "CapBnd", "CapAmb"), "0" * 16)
    if unread(limits.runtime):
        inside = ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "Seccomp")
        rights |= {f"inside {name}": rights[name] for name in inside}
        rights["user namespace"] = "own"
    return rights


def _limits(limits: Limits) -> dict[str, float]:
    return {
        "limit memory": limits.memory,
        "limit swap": 0,
        "limit pids": limits.pids,
        "limit cpus": limits.cpus,
        "limit core file": 1,
        "limit file size": limits.file,
        "limit open files": limits.open_files,
    }


def _at_most(text: str, limit: float) -> bool:
    try:
        return float(text) <= limit
    except ValueError:
        return False


def usage_findings(container: AuditedContainer) -> Iterator[AuditFinding]:
    """Peaks above what the kernel allows, or above what the host should have stopped."""
    box, limits = container.evidence, container.limits
    peaks, ended_itself = box.peaks, box.killed is None
    spare = _IN_BLOCK * math.ceil(limits.workspace / _GROUP)
    # The kernel enforces the first rows at once. The host samples the others, so the limit binds
    # only a job that ended by itself: one that the host killed for it has passed it.
    rows = (
        ("memory", peaks.memory, limits.memory + _CHARGED, True),
        ("processes", peaks.pids, limits.pids, True),
        ("disk", peaks.disk, limits.workspace, True),
        ("files", peaks.inodes, limits.inodes + spare, True),
        ("time", peaks.wall, limits.wall + limits.grace + _DEATH, True),
        ("time", peaks.wall, limits.wall + _LATE, ended_itself),
        ("CPU time", peaks.cpu_time, limits.cpu_time + _BETWEEN * limits.cpus, ended_itself),
        ("output", peaks.log_bytes, limits.logs, ended_itself),
        ("GPU memory", peaks.gpu_memory, limits.gpu_memory, ended_itself),
    )
    for name, used, limit, binds in rows:
        if binds and used > limit:
            yield container.finding("use", f"{name}: {used:g} was used, of {limit:g} at most")
    below = [field.name for field in fields(peaks) if getattr(peaks, field.name) < 0]
    if below:
        yield container.finding("use", f"recorded with a use below zero: {', '.join(below)}")
    allowed = {entry.removesuffix(":443") for entry in limits.network}
    for egress in (one for one in box.egress if one.allowed):
        # Without a host it is the sum of further connections, which an allow-list has let through.
        if (egress.host or not allowed) and egress.host.removesuffix(":443") not in allowed:
            what = f"a connection to {egress.host!r}, which is on no allow-list"
            yield container.finding("use", what)
        if egress.address and not _is_public(egress.address):
            what = f"a connection to {egress.address!r}, which is no public address"
            yield container.finding("use", what)


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def verdict_findings(container: AuditedContainer) -> Iterator[AuditFinding]:
    """Whether every recorded verdict follows from how the container ended."""
    box = container.evidence
    expected = verdict(box.killed, box.exit_code, box.hit)
    rows: list[tuple[str, object, object]] = [("the evidence's verdict", box.verdict, expected)]
    if container.result is None:
        rows.append(("the verdict of an edit that was used", box.verdict, Verdict.FINISHED))
    else:
        failed = expected is not Verdict.FINISHED
        limits = suspected(container.result.stderr, box.hit) if failed else ()
        rows.append(("the list of limits that only its output names", box.suspected, limits))
    for what, recorded, follows in rows:
        if recorded != follows:
            text = f"{what} is {recorded!s}; from how it ended follows {follows!s}"
            yield container.finding("verdict", text)
