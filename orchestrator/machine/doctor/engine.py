"""The engine: whether one answers, where it is, and who may control it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.core.host import EngineFacts, Host
from orchestrator.machine.doctor.check import Check

MIN_API = (1, 41)

_check = partial(Check, "engine")


def engine_checks(host: Host) -> Iterator[Check]:
    """All checks of the engine; a single failed one where no engine answers."""
    engine = host.engine
    if engine is None:
        yield _check("answers", "fail", host.why, "tested", host.todo)
        return
    api = tuple(int(part) for part in engine.api.split(".") if part.isdecimal())
    old = "" if api >= MIN_API else f"aisci is tested with API {MIN_API[0]}.{MIN_API[1]} and newer"
    found = f"{engine.name} {engine.version}, API {engine.api}, kernel {engine.kernel}"
    yield _check("answers", "warn" if old else "ok", found, "tested", old)
    if engine.local:
        yield _check("reached by", "ok", engine.where, "tested")
    else:
        found = f"{engine.where}: the engine may be on another machine, where time, memory and "
        found += "processes cannot be monitored"
        todo = "run aisci where the engine runs: unset DOCKER_HOST, or DOCKER_HOST=unix:///PATH"
        yield _check("reached by", "fail", found, "tested", todo)
    yield _access(engine)
    for warning in engine.warnings:  # a port without encryption makes every caller root
        open_port = "accessible on http" in warning
        todo = "remove the `tcp://` address from the engine's `hosts`" if open_port else ""
        found = warning.removeprefix("WARNING: ")
        yield _check("its own warning", "fail" if open_port else "note", found, "reported", todo)
    found = f"{engine.root}: {engine.storage_driver}, {engine.root_disk or 'disk unknown'}"
    yield _check("its own data", "ok", found, "read" if engine.root_disk else "reported")
    found = "ends every job; `aisci resume` runs it again"
    if engine.live_restore:
        found = "containers keep running (live-restore)"
    yield _check("restart", "note", found, "reported")
    found = f"{engine.logging or 'none'} for other containers; aisci reads its containers' output "
    found += "itself, bounded, without a log driver"
    yield _check("logs", "ok", found, "tested" if host.trial else "reported")


def _access(engine: EngineFacts) -> Check:
    """Who may write to the socket: they can mount the host's disk into a container, as root."""
    name, socket = "who commands it", engine.socket or "unknown"
    if engine.open_socket:
        found = f"{socket}: everybody on this machine may write to it, which gives root"
        todo = f"chmod o-w {engine.where.removeprefix('unix://')}"
        return _check(name, "fail", found, "read", todo)
    if engine.rootless:
        found = f"{socket}; the engine has no more rights than its user"
    elif engine.members:
        found = f"{socket}; as good as root: {', '.join(engine.members)}"
        return _check(name, "note", found, "read", "keep the group small, or use a rootless engine")
    else:
        found = f"{socket}; only root, the group is empty"
    return _check(name, "ok", found, "read")
