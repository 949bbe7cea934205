"""A container's limits as the kernel reports them, whatever the engine says it set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
_NONE = "no limit"


def kernel_limits_of(pid: int, cgroup: Cgroup) -> SettingPairs:
    """Bytes, counts and CPUs as (``limit memory``, text); ``no limit`` where the kernel has none.

    ``pid`` is the container's first process: all others inherit its rlimits and its cgroup.
    """
    readers = _unified if cgroup.version == 2 else _separate
    values = {**_read_all(readers(cgroup.folders)), **_rlimits(Path(f"/proc/{pid}/limits"))}
    return tuple((f"limit {name}", text) for name, text in sorted(values.items()))


def exceeded_limits(seen: SettingPairs, limits: Limits) -> list[str]:
    """Each limit that is higher than requested, or absent, as text.

    A lower one is accepted, because the kernel rounds memory down to whole pages.
    """
    requested = {
        "memory": limits.memory,
        "swap": 0,
        "pids": limits.pids,
        "cpus": limits.cpus,
        "core file": NO_CORE,
        "file size": limits.file,
        "open files": limits.open_files,
    }
    skipped = unread(limits.runtime)
    have = {name.removeprefix("limit "): text for name, text in seen if name.startswith("limit ")}
    return [
        f"limit {name} is {have.get(name, _NONE)}, not {most}"
        for name, most in requested.items()
        if f"limit {name}" not in skipped and not _at_most(have.get(name, _NONE), most)
    ]


def _at_most(text: str, most: float) -> bool:
    try:
        return float(text) <= most
    except ValueError:
        return False


def _read_all(readers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    values = {}
    for name, read in readers.items():
        try:
            values[name] = read()
        except (OSError, ValueError):  # a kernel without that control, or its word for "none"
            values[name] = _NONE
    return values


def _unified(folders: Mapping[str, Path]) -> dict[str, Callable[[], str]]:
    folder = folders[""]

    def cpus() -> str:
        quota, period = (folder / "cpu.max").read_text().split()
        return f"{int(quota) / int(period):g}"

    return {
        "memory": lambda: str(_number(folder / "memory.max")),
        "swap": lambda: str(_number(folder / "memory.swap.max")),
        "pids": lambda: str(_number(folder / "pids.max")),
        "cpus": cpus,
    }


def _separate(folders: Mapping[str, Path]) -> dict[str, Callable[[], str]]:
    memory, pids, cpu = folders["memory"], folders["pids"], folders.get("cpu", Path("/none"))
    limit, with_swap = memory / "memory.limit_in_bytes", memory / "memory.memsw.limit_in_bytes"

    def cpus() -> str:
        quota, period = _number(cpu / "cpu.cfs_quota_us"), _number(cpu / "cpu.cfs_period_us")
        return f"{quota / period:g}" if quota > 0 else _NONE

    return {
        "memory": lambda: str(_number(limit)),
        "swap": lambda: str(_number(with_swap) - _number(limit)),
        "pids": lambda: str(_number(pids / "pids.max")),
        "cpus": cpus,
    }


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
