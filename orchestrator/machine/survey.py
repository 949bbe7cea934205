"""Measures this machine: its engine, its kernel's settings, its capacity; judged elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.core.errors import ControlUnavailable, EngineUnavailable
from orchestrator.core.host import EngineFacts, Host, Tried
from orchestrator.machine import pods, system
from orchestrator.machine.self_check import run_self_check
from orchestrator.sandbox.admission import available_memory
from orchestrator.sandbox.engine import client
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.engine.reaper import leftovers
from orchestrator.sandbox.gpus.cdi import cdi_devices
from orchestrator.sandbox.gpus.nvml import NvmlDriver
from orchestrator.sandbox.gpus.nvproxy import listed_drivers, loaded_driver
from orchestrator.sandbox.images.age import seconds_since
from orchestrator.sandbox.images.images import list_images
from orchestrator.sandbox.resources import engine_socket
from orchestrator.sandbox.storage.quota import BACKENDS


def survey_host(results: Path, *, probe: bool, say: Callable[[str], None] | None = None) -> Host:
    """Describe this machine; ``results`` is the folder for runs.

    With ``probe``, runtimes and storage backends are tested in containers, which takes some
    seconds, and ``say`` gets each step. Without, they are only ``listed``. A machine without an
    engine is a valid result.
    """
    existing = next(path for path in (results, *results.absolute().parents) if path.is_dir())
    machine = system.measure_machine(existing)
    toolkit = system.toolkit_version()
    bare = Host(
        engine=None,
        components=(("nvidia-container-toolkit", toolkit),) if toolkit else (),
        packages=tuple(sorted(system.installed_packages().items())),
        system=system.distribution(),
        core_pattern=system.first_line("/proc/sys/kernel/core_pattern"),
        userns=system.user_namespaces(),
        gpus=tuple(f"{gpu.uuid} ({gpu.memory >> 30} GiB)" for gpu in NvmlDriver().devices()),
        driver=loaded_driver(),
        cpus=machine.cpus,
        memory=machine.memory,
        memory_free=available_memory(),
        disk=machine.disk,
    )
    try:
        engine = client.connect()
    except EngineUnavailable as error:
        why = f"{error.what.rstrip('.')} at {error.where}: {error.why}"
        place = pods.no_engine_here(os.environ)
        if place:
            return replace(bare, why=f"{why}; {place}", todo=pods.INSTEAD)
        return replace(bare, why=why, todo=error.todo.partition("\n`aisci doctor`")[0])
    try:
        host = _with_engine(engine, bare)
        return run_self_check(engine, host, say or (lambda _: None)) if probe else host
    finally:
        engine.close()


def _with_engine(engine: Engine, bare: Host) -> Host:
    with client.translated("asking the engine what it is"):
        info: dict[str, Any] = engine.api.info()
        version: dict[str, Any] = engine.api.version()
    parts = version.get("Components") or ()
    components = tuple((str(part["Name"]), str(part["Version"])) for part in parts)
    components += bare.components
    images, now = list_images(engine), datetime.now(UTC)
    return replace(
        bare,
        engine=_facts(engine, info, version),
        runtimes=tuple(Tried(name, "listed") for name in sorted(info["Runtimes"])),
        storage=tuple(Tried(name, "listed") for name in BACKENDS),
        components=components,
        patched=tuple(system.patched_cves(dict(components), dict(bare.packages))),
        cdi=cdi_devices(info),
        gvisor_drivers=listed_drivers(info) if bare.gpus else (),
        images=tuple((image.name, image.state) for image in images),
        image_ages=tuple(
            (image.name, age)
            for image in images
            if (age := seconds_since(image.created, now)) is not None
        ),
        leftovers=len(leftovers(engine)),
    )


_LIMITS = (("MemoryLimit", "memory"), ("SwapLimit", "swap"), ("PidsLimit", "pids"),
           ("CpuCfsQuota", "cpu"))  # fmt: skip


def _facts(engine: Engine, info: dict[str, Any], version: dict[str, Any]) -> EngineFacts:
    security = tuple(str(option) for option in info.get("SecurityOptions") or ())
    root = str(info["DockerRootDir"])
    try:
        path = engine_socket(engine)
        socket, members, everybody = system.socket_rights(path)
    except ControlUnavailable:  # reached another way: every run would refuse it
        path, socket, members, everybody = "", "", (), False
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
        root=root,
        root_disk=system.disk_of(root) if path else "",
        where=os.environ.get("DOCKER_HOST") or client.DEFAULT_SOCKET,
        local=bool(path),
        socket=socket,
        members=members,
        open_socket=everybody,
        warnings=tuple(map(str, info.get("Warnings") or ())),
    )
