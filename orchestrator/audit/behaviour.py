"""What a container was by the kernel's word, what it used, and whether its verdict follows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from orchestrator.audit.calls import Box
from orchestrator.audit.finding import NOT_HELD, Finding
from orchestrator.core.job import Limits, Verdict
from orchestrator.policy.runtimes import unread
from orchestrator.record.attestation import suspected, verdict

_NONE = "no limit"
_QUOTA_OPTIONS = frozenset({"nosuid", "nodev", "noexec"})
_CHARGED = 1 << 20  # bytes that a kernel may charge past a limit without asking
_GROUP, _IN_BLOCK = 128 << 20, 16  # an ext4 has whole blocks of inodes in each group of its blocks
_DEATH = 90.0  # seconds past wall and grace within which a killed container must have ended
_BETWEEN = 2.0  # seconds that each CPU may go on between two looks at a job that then ends itself
_LATE = 10.0  # seconds within which the host has read the last of a job that ended itself


def kernel(box: Box) -> Iterator[Finding]:
    """Whether the kernel saw the container with no more rights than asked, and every limit."""
    if box.attestation is None:
        return
    seen, limits = dict(box.attestation.seen), box.limits
    theirs = unread(limits.runtime)
    wrong = [
        f"{name} was {seen.get(name)!r}, not {value!r}"
        for name, value in _rights(limits).items()
        if name not in theirs and seen.get(name) != value
    ]
    wrong += [
        f"{name}: it shared the host's"
        for name, value in seen.items()
        if name.startswith("own ") and value == "no" and name not in theirs
    ]
    wrong += [
        f"{name} was {seen.get(name, _NONE)}, not {most} or less"
        for name, most in _most(limits).items()
        if name not in theirs and not _at_most(seen.get(name, _NONE), most)
    ]
    place = seen.get("mount of the workspace")
    if place is not None and box.attestation.storage != "xfs":
        missing = _QUOTA_OPTIONS - set(place.partition(" ")[2].split(","))
        wrong += [f"the workspace was mounted without {', '.join(sorted(missing))}"] * bool(missing)
    for what in wrong:
        yield _wrong("kernel", box, f"the kernel's word: {what}")


def _rights(limits: Limits) -> dict[str, str]:
    """What the kernel has to say of the first process; under another kernel, also that one's word."""
    uid, _, gid = limits.user.partition(":")
    wanted = {"Uid": " ".join([uid] * 4), "Gid": " ".join([gid] * 4)}
    wanted |= {"NoNewPrivs": "1", "Seccomp": "2"}
    wanted |= dict.fromkeys(("CapEff", "CapPrm", "CapBnd", "CapAmb"), "0" * 16)
    if unread(limits.runtime):
        told = ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "Seccomp")
        wanted |= {f"inside {name}": wanted[name] for name in told}
        wanted["user namespace"] = "own"
    return wanted


def _most(limits: Limits) -> dict[str, float]:
    return {
        "limit memory": limits.memory,
        "limit swap": 0,
        "limit pids": limits.pids,
        "limit cpus": limits.cpus,
        "limit core file": 1,
        "limit file size": limits.file,
        "limit open files": limits.open_files,
    }


def _at_most(text: str, most: float) -> bool:
    try:
        return float(text) <= most
    except ValueError:
        return False


def use(box: Box) -> Iterator[Finding]:
    """Peaks above what the kernel lets through, or past what the host should have ended it for."""
    if box.attestation is None:
        return
    peaks, limits, killed = box.attestation.peaks, box.limits, box.attestation.killed
    spare = _IN_BLOCK * math.ceil(limits.workspace / _GROUP)
    rows = (
        ("memory", peaks.memory, limits.memory + _CHARGED, True),
        ("processes", peaks.pids, limits.pids, True),
        ("disk", peaks.disk, limits.workspace, True),
        ("files", peaks.inodes, limits.inodes + spare, True),
        ("time", peaks.wall, limits.wall + limits.grace + _DEATH, True),
        ("time", peaks.wall, limits.wall + _LATE, killed is None),
        ("CPU time", peaks.cpu_time, limits.cpu_time + _BETWEEN * limits.cpus, killed is None),
        ("output", peaks.log_bytes, limits.logs, killed is None),
        ("GPU memory", peaks.gpu_memory, limits.gpu_memory, killed is None),
    )
    for name, used, most, binds in rows:
        if binds and used > most:
            yield _wrong("use", box, f"{name}: {used:g} was used, of {most:g} at most")
    for one in box.attestation.egress:
        if one.allowed and one.host and not _allowed(one.host, limits.network):
            yield _wrong("use", box, f"a connection to {one.host!r}, which no allow-list names")


def _allowed(host: str, network: tuple[str, ...]) -> bool:
    return host.removesuffix(":443") in {entry.removesuffix(":443") for entry in network}


def verdicts(box: Box) -> Iterator[Finding]:
    """Whether the verdict is the one that the order of reasons gives, wherever it is said."""
    told = box.attestation
    if told is None:
        return
    follows = verdict(told.killed, told.exit_code, told.hit)
    rows: list[tuple[str, object, object]] = [("the evidence's verdict", told.verdict, follows)]
    if box.result is None:
        rows.append(("how an edit that was used ended", told.verdict, Verdict.FINISHED))
    else:
        said = suspected(box.result.stderr, told.hit) if follows is not Verdict.FINISHED else ()
        rows.append(("the limits that only its output names", told.suspected, said))
    for what, have, want in rows:
        if have != want:
            yield _wrong("verdict", box, f"{what} is {have!s}; from how it ended follows {want!s}")


def _wrong(check: str, box: Box, what: str) -> Finding:
    return Finding(check=check, where=box.where, what=what, todo=NOT_HELD)
