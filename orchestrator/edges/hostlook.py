"""Looking at this machine: its engine, its kernel's settings, its room; judged elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import EngineUnavailable
from orchestrator.edges import checkup
from orchestrator.edges.allowance import available_memory
from orchestrator.edges.engine import Engine, connect, translated
from orchestrator.edges.gpu import Driver
from orchestrator.edges.images import list_images
from orchestrator.edges.machine import measure
from orchestrator.edges.reap import leftovers
from orchestrator.edges.storage import BACKENDS
from orchestrator.host import EngineFacts, Host, Tried


def survey(results: Path, *, probe: bool) -> Host:
    """What this machine is; ``results`` is where runs are to be kept.

    With ``probe``, what can be tried is tried, in containers: some seconds. Without, runtimes
    and storage backends are only ``listed``. A machine without an engine is an answer too.
    """
    there = next(path for path in (results, *results.absolute().parents) if path.is_dir())
    machine = measure(there)
    bare = Host(
        engine=None,
        core_pattern=_line("/proc/sys/kernel/core_pattern"),
        userns=_userns(),
        lsm=tuple(filter(None, _line("/sys/kernel/security/lsm").split(","))),
        gpus=tuple(f"{gpu.uuid} ({gpu.memory >> 30} GiB)" for gpu in Driver().devices()),
        cpus=machine.cpus,
        memory=machine.memory,
        memory_free=available_memory(),
        disk=machine.disk,
    )
    try:
        engine = connect()
    except EngineUnavailable as error:
        return replace(bare, why=f"{error.what} {error.why}".strip(), todo=error.todo)
    try:
        seen = _with_engine(engine, bare)
        return checkup.tried(engine, seen) if probe else seen
    finally:
        engine.close()


def _with_engine(engine: Engine, bare: Host) -> Host:
    with translated("asking the engine what it is"):
        info: dict[str, Any] = engine.api.info()
        version: dict[str, Any] = engine.api.version()
    return replace(
        bare,
        engine=_facts(info, version),
        runtimes=tuple(Tried(name, "listed") for name in sorted(info["Runtimes"])),
        storage=tuple(Tried(name, "listed") for name in BACKENDS),
        components=tuple(
            (str(one["Name"]), str(one["Version"])) for one in version.get("Components") or ()
        ),
        cdi=tuple(
            str(one["ID"]) for one in info.get("DiscoveredDevices") or () if one["Source"] == "cdi"
        ),
        images=tuple((one.name, one.state) for one in list_images(engine)),
        leftovers=len(leftovers(engine)),
    )


_LIMITS = (("MemoryLimit", "memory"), ("SwapLimit", "swap"), ("PidsLimit", "pids"),
           ("CpuCfsQuota", "cpu"))  # fmt: skip


def _facts(info: dict[str, Any], version: dict[str, Any]) -> EngineFacts:
    security = tuple(str(option) for option in info.get("SecurityOptions") or ())
    return EngineFacts(
        name=str((version.get("Platform") or {}).get("Name") or "engine"),
        version=str(version["Version"]),
        api=str(version["ApiVersion"]),
        kernel=str(info["KernelVersion"]),
        cgroup=int(info.get("CgroupVersion") or 1),
        cgroup_driver=str(info["CgroupDriver"]),
        rootless="name=rootless" in security,
        userns_remap="name=userns" in security,
        security=security,
        storage_driver=str(info["Driver"]),
        controls=tuple(name for key, name in _LIMITS if info.get(key)),
        logging=str(info.get("LoggingDriver", "")),
        live_restore=bool(info.get("LiveRestoreEnabled")),
        root=str(info["DockerRootDir"]),
    )


def _userns() -> bool:
    """Whether both of the kernel's switches let an unprivileged process make a user name space."""
    allowed = _line("/proc/sys/kernel/unprivileged_userns_clone") or "1"  # only Debian's has it
    return allowed != "0" and _line("/proc/sys/user/max_user_namespaces") not in ("", "0")


def _line(path: str) -> str:
    """The first line of one of the kernel's files; empty where it cannot be read."""
    try:
        return Path(path).read_text("utf-8", errors="replace").partition("\n")[0]
    except OSError:
        return ""
