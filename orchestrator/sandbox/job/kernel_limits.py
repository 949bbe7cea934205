"""A container's limits as the kernel reports them, whatever the engine says it set."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from orchestrator.core.job import Limits
from orchestrator.policy.runtimes import unread
from orchestrator.record.attestation import SettingPairs
from orchestrator.sandbox.job.cgroup import Cgroup
from orchestrator.sandbox.job.spec import NO_CORE

_RLIMITS = {
    "Max core file size": "core file",
    "Max file size": "file size",
    "Max open files": "open files",
}
_UNIFIED = {"memory": "memory.max", "swap": "memory.swap.max", "pids": "pids.max"}
_NONE = "no limit"


def kernel_limits_of(pid: int, cgroup: Cgroup) -> SettingPairs:
    """Bytes, counts and CPUs as (``limit memory``, text); ``no limit`` where the kernel has none.

    ``pid`` is the container's first process: all others inherit its rlimits and its cgroup.
    """
    values = _rlimits(Path(f"/proc/{pid}/limits"))
    for name in ("memory", "swap", "pids", "cpus"):
        try:
            values[name] = (
                _unified(cgroup, name) if cgroup.version == 2 else _separate(cgroup, name)
            )
        except (OSError, ValueError):  # a kernel without that control, or its word for "none"
            values[name] = _NONE
    return tuple((f"limit {name}", text) for name, text in sorted(values.items()))


def exceeded_limits(seen: SettingPairs, limits: Limits) -> list[str]:
    """Each limit that is higher than requested, or absent, as text.

    A lower one is accepted, because the kernel rounds memory down to whole pages.
    """
    requested = {"memory": limits.memory, "swap": 0, "pids": limits.pids, "cpus": limits.cpus}
    requested |= {"core file": NO_CORE, "file size": limits.file, "open files": limits.open_files}
    skipped = unread(limits.runtime)
    have = {name.removeprefix("limit "): text for name, text in seen if name.startswith("limit ")}
    return [
        f"limit {name} is {have.get(name, _NONE)}, not {most}"
        for name, most in requested.items()
        if f"limit {name}" not in skipped and not _at_most(have.get(name, _NONE), most)
    ]


def _at_most(text: str, most: float) -> bool:
    with suppress(ValueError):  # "no limit"
        return float(text) <= most
    return False


def _unified(cgroup: Cgroup, name: str) -> str:
    folder = cgroup.folders[""]
    if name != "cpus":
        return str(_number(folder / _UNIFIED[name]))
    quota, period = (folder / "cpu.max").read_text().split()
    return f"{int(quota) / int(period):g}"


def _separate(cgroup: Cgroup, name: str) -> str:
    if name == "pids":
        return str(_number(cgroup.folders["pids"] / "pids.max"))
    if name == "cpus":
        cpu = cgroup.folders.get("cpu", Path("/none"))
        quota, period = _number(cpu / "cpu.cfs_quota_us"), _number(cpu / "cpu.cfs_period_us")
        return f"{quota / period:g}" if quota > 0 else _NONE
    memory = cgroup.folders["memory"]
    limit = _number(memory / "memory.limit_in_bytes")
    return str(_number(memory / "memory.memsw.limit_in_bytes") - limit if name == "swap" else limit)


def _number(path: Path) -> int:
    return int(path.read_text())


def _rlimits(path: Path) -> dict[str, str]:
    """The hard limits, from the kernel's table of fixed columns: name, soft, hard, unit."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    return {
        name: line[len(title) :].split()[1]
        for line in lines
        for title, name in _RLIMITS.items()
        if line.startswith(title + " ")
    }
