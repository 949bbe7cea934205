"""The engine: whether one answers, where it is, and who may command it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.host import EngineFacts, Host
from orchestrator.machine.doctor.check import Check, CheckState

_GROUP = "engine"
MIN_API = (1, 41)


def engine_checks(host: Host) -> Iterator[Check]:
    """All of them; one alone where no engine answers."""
    told = host.engine
    if told is None:
        yield Check(
            group=_GROUP, name="answers", state="fail", found=host.why, basis="tested",
            todo=host.todo,
        )  # fmt: skip
        return
    yield _answers(told)
    yield _place(told)
    yield _command(told)
    yield from (_warning(text) for text in told.warnings)
    yield Check(
        group=_GROUP,
        name="its own data",
        state="ok",
        found=f"{told.root}: {told.storage_driver}, {told.root_disk or 'disk unknown'}",
        basis="read" if told.root_disk else "reported",
    )
    yield Check(
        group=_GROUP,
        name="restart",
        state="note",
        found="containers outlive one (live-restore)"
        if told.live_restore
        else "ends every job; `aisci resume` runs it again",
        basis="reported",
    )
    yield Check(
        group=_GROUP,
        name="logs",
        state="ok",
        found=f"{told.logging or 'none'} for others; our containers' output is kept by the host, "
        "bounded, and by no driver",
        basis="tested" if host.trial else "reported",
    )


def _answers(told: EngineFacts) -> Check:
    api = tuple(int(part) for part in told.api.split(".") if part.isdecimal())
    old = "" if api >= MIN_API else f"aisci was tried with API {MIN_API[0]}.{MIN_API[1]} and newer"
    return Check(
        group=_GROUP,
        name="answers",
        state="warn" if old else "ok",
        found=f"{told.name} {told.version}, API {told.api}, kernel {told.kernel}",
        basis="tested",
        todo=old,
    )


def _place(told: EngineFacts) -> Check:
    if told.local:
        return Check(
            group=_GROUP, name="reached by", state="ok", found=told.where, basis="tested",
        )  # fmt: skip
    return Check(
        group=_GROUP,
        name="reached by",
        state="fail",
        found=f"{told.where}: the engine may be on another machine, where no limit of time, "
        "memory or processes could be watched",
        basis="tested",
        todo="run aisci where the engine runs: unset DOCKER_HOST, or DOCKER_HOST=unix:///PATH",
    )


def _command(told: EngineFacts) -> Check:
    """Who may write to the socket may mount the host's disk into a container of their own."""
    state: CheckState = "ok"
    found, todo = told.socket or "unknown", ""
    if told.open_socket:
        state = "fail"
        found += ": everybody on this machine may write to it, and so is root"
        todo = f"chmod o-w {told.where.removeprefix('unix://')}"
    elif told.rootless:
        found += "; the engine has no more rights than its user"
    elif told.members:
        state = "note"
        found += f"; as good as root: {', '.join(told.members)}"
        todo = "keep the group small, or use a rootless engine"
    else:
        found += "; root alone, the group is empty"
    return Check(
        group=_GROUP, name="who commands it", state=state, found=found, basis="read", todo=todo,
    )  # fmt: skip


def _warning(text: str) -> Check:
    """In the engine's words. An open port without encryption makes every caller root."""
    open_port = "accessible on http" in text
    return Check(
        group=_GROUP,
        name="its own warning",
        state="fail" if open_port else "note",
        found=text.removeprefix("WARNING: "),
        basis="reported",
        todo="take the `tcp://` address out of the engine's `hosts`" if open_port else "",
    )
