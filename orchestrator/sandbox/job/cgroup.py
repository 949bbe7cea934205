"""What a container uses, read by the host from the kernel's counters (cgroup v1 or v2)."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.job import UNREAD
from orchestrator.policy.runtimes import CAP_SETS
from orchestrator.record.attestation import SettingPairs

_ROOT = Path("/sys/fs/cgroup")
_OWN_SHORTAGE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupSample:
    """One sample: bytes, counts, CPU seconds; ``oom`` and ``pids_denied`` count events so far."""

    memory: int = 0
    pids: int = 0
    cpu: float = 0.0
    oom: int = 0
    pids_denied: int = 0


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One container's cgroup: its version, and each controller's folder (v2: ``""``)."""

    version: int
    folders: Mapping[str, Path]

    @classmethod
    def of(cls, pid: int, container: str) -> Cgroup:
        """``container``'s cgroup; ``pid`` is its first process. Raises :class:`ControlUnavailable`."""
        try:
            lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        except OSError as error:
            raise _elsewhere(str(error)) from error
        if not any(container in line for line in lines):
            raise _elsewhere(f"process {pid} is not container {container[:12]}'s")
        return cls(*cgroup_folders(lines, _ROOT))

    def sample(self) -> CgroupSample | None:
        """The counters now; None once the container has ended and its cgroup is removed.

        Raises :class:`OSError` if this process has no file descriptor or memory left: else a job
        could hide from its limits by using up this process's files.
        """
        try:
            return self._read()
        except OSError as error:
            if error.errno in _OWN_SHORTAGE:
                raise
            return None

    def _read(self) -> CgroupSample:
        if self.version == 1:
            memory, pids, cpu = (self.folders[name] for name in ("memory", "pids", "cpuacct"))
            most, events = memory / "memory.max_usage_in_bytes", memory / "memory.oom_control"
            seconds = int((cpu / "cpuacct.usage").read_text()) * 1e-9
        else:
            pids = self.folders[""]
            most, events = pids / "memory.peak", pids / "memory.events"
            most = most if most.exists() else pids / "memory.current"  # before Linux 5.19
            seconds = _field(pids / "cpu.stat", "usage_usec") * 1e-6
        return CgroupSample(
            memory=int(most.read_text()),
            pids=int((pids / "pids.current").read_text()),
            cpu=seconds,
            oom=_field(events, "oom_kill"),
            pids_denied=_field(pids / "pids.events", "max"),
        )


def process_status(pid: int) -> SettingPairs:
    """The rights of a container's first process, by the kernel; users and groups as in the container.

    A namespace that only root may read is :data:`UNREAD`: then only the engine's report is known.

    Raises :class:`ControlUnavailable` if the engine's processes do not run on this machine.
    """
    names = ("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", *CAP_SETS)
    process, own = Path(f"/proc/{pid}"), Path("/proc/self")
    try:
        lines = (process / "status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        for name, users in (("Uid", "uid_map"), ("Gid", "gid_map"), ("Groups", "gid_map")):
            fields[name] = map_ids(fields.get(name, ""), (process / users).read_text())
        separate = (process / "uid_map").read_text() != (own / "uid_map").read_text()
    except OSError as error:
        raise _elsewhere(str(error)) from error
    seen = [(name, " ".join(fields.get(name, "").split())) for name in names]
    seen.append(("user namespace", "own" if separate else "the host's"))
    for space in ("net", "pid", "ipc", "mnt", "uts"):
        try:
            separate = (process / "ns" / space).readlink() != (own / "ns" / space).readlink()
            answer = "yes" if separate else "no"
        except PermissionError:
            answer = UNREAD
        seen.append((f"own {space} namespace", answer))
    return tuple(seen)


def map_ids(ids: str, user_map: str) -> str:
    """Ids as inside the container: a rootless engine's are different on the host.

    ``user_map`` has lines of first id inside, first outside, count. An id that is not mapped is
    kept, with ``host:`` before it.
    """
    rows = [tuple(map(int, line.split())) for line in user_map.splitlines()]
    mapped = []
    for host in map(int, ids.split()):
        inside = [first + host - out for first, out, many in rows if out <= host < out + many]
        mapped.append(str(inside[0]) if inside else f"host:{host}")
    return " ".join(mapped)


def _elsewhere(why: str) -> ControlUnavailable:
    """The engine runs on another machine, where this one can measure nothing."""
    return ControlUnavailable(
        "the host cannot monitor its containers: time and CPU limits could not be enforced",
        where="the engine's processes are not visible in /proc here",
        why=why,
        todo="run aisci on the machine where the engine runs, outside any container",
    )


def cgroup_folders(lines: Iterable[str], root: Path) -> tuple[int, dict[str, Path]]:
    """The cgroup version and folders from the lines of a ``/proc/<pid>/cgroup``."""
    paths: dict[str, str] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    if "memory" not in paths:
        return 2, {"": root / paths[""]}
    names = ("memory", "pids", "cpuacct", "cpu")
    return 1, {name: root / name / paths[name] for name in names if name in paths}


def _field(path: Path, name: str) -> int:
    """The value of one ``name value`` line; 0 where an older kernel has no such line."""
    fields = dict(line.partition(" ")[::2] for line in path.read_text().splitlines())
    return int(fields.get(name, 0))
