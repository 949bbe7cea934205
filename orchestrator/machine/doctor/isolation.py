"""The controls: runtimes, storage, limits, namespaces, filters; tried where that can be done."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.host import EngineFacts, Host, Tried
from orchestrator.machine.doctor.check import Check, CheckState

_GROUP = "controls"
NEEDED = ("memory", "swap", "pids", "cpu")
_KERNEL_SAYS = {"memory": "limit memory", "swap": "limit swap", "pids": "limit pids",
                "cpu": "limit cpus"}  # fmt: skip


def isolation_checks(host: Host, engine: EngineFacts) -> Iterator[Check]:
    """Every control that this machine may give or lack."""
    yield from (_runtime(host, one) for one in host.runtimes)
    yield from _storage(host)
    yield _limits(host, engine)
    yield from _rights(host)
    yield _seccomp(host, engine)
    yield _labels(engine)
    yield _users(host, engine)
    yield _crashes(host)


def _runtime(host: Host, one: Tried) -> Check:
    state: CheckState
    todo = ""
    if one.state == "tested":
        state = "ok"
    elif one.name == "runc":
        state, todo = "fail", host.trial_todo or "nothing can run here without it"
    elif one.state == "failed":
        state, todo = "warn", "policies with `runtime: runsc` cannot run here until it does"
    else:
        state = "note"
        if one.name == "runsc":
            todo = "`make gvisor`, or https://gvisor.dev/docs/user_guide/install"
    return Check(
        group=_GROUP,
        name=f"runtime {one.name}",
        state=state,
        found=one.why or one.state,
        basis="tested" if one.state in ("tested", "failed") else "reported",
        todo=todo,
    )


def _storage(host: Host) -> Iterator[Check]:
    held = [one.name for one in host.storage if one.state not in ("absent", "failed")]
    for one in host.storage:
        state: CheckState = (
            "ok" if one.state == "tested" else "warn" if one.state == "failed" else "note"
        )
        yield Check(
            group=_GROUP,
            name=f"quota on {one.name}",
            state=state,
            found=one.why or one.state,
            basis="tested" if one.state != "listed" else "reported",
        )
    disk = [name for name in held if name != "tmpfs"]
    if not disk:
        yield Check(
            group=_GROUP,
            name="workspace on disk",
            state="warn" if held else "fail",
            found="none: only a workspace that fits into a job's memory can be given"
            if held
            else "no backend holds a quota: no job can run",
            basis="tested",
            todo="modprobe loop; or the engine's data on XFS mounted with pquota",
        )


def _limits(host: Host, engine: EngineFacts) -> Check:
    """The engine's word, and what the kernel showed of a real container."""
    seen = dict(host.trial.seen) if host.trial else {}
    missing = [name for name in NEEDED if name not in engine.controls]
    shown = [name for name in NEEDED if seen.get(_KERNEL_SAYS[name], "no limit") != "no limit"]
    found = f"cgroup version {engine.cgroup}, driver {engine.cgroup_driver}; "
    if missing:
        found += f"the engine cannot limit {', '.join(missing)}"
    elif host.trial is None:
        found += "the engine says that it can set them; no job has run here to show it"
    else:
        found += f"set and read back from the kernel: {', '.join(shown) or 'none'}"
    wrong = missing or (host.trial and len(shown) < len(NEEDED))
    return Check(
        group=_GROUP,
        name="limits",
        state="fail" if wrong else "ok" if host.trial else "note",
        found=found,
        basis="tested" if host.trial else "reported",
        todo="boot the kernel with `cgroup_enable=memory swapaccount=1`; a rootless engine needs "
        "cgroups version 2 and their delegation"
        if missing
        else "",
    )


def _rights(host: Host) -> Iterator[Check]:
    """What the kernel said of a job's first process; nothing where none ran."""
    if host.trial is None:
        return
    seen = dict(host.trial.seen)
    wrong = [
        name for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb") if seen.get(name, "0").strip("0")
    ]
    wrong += [name for name in ("Uid", "Gid") if "0" in seen.get(name, "").split()]
    wrong += ["NoNewPrivs"] if seen.get("NoNewPrivs") != "1" else []
    wrong += [name for name, value in seen.items() if name.startswith("own ") and value != "yes"]
    own = [name.split()[1] for name in seen if name.startswith("own ")]
    yield Check(
        group=_GROUP,
        name="rights",
        state="fail" if wrong else "ok",
        found=f"not as they must be: {', '.join(wrong)}"
        if wrong
        else "no capability, no new privileges, not root, namespaces of its own: "
        f"{', '.join(own) or 'not readable here'}",
        basis="tested",
    )


def _seccomp(host: Host, engine: EngineFacts) -> Check:
    filtered = host.trial is not None and dict(host.trial.seen).get("Seccomp") == "2"
    return Check(
        group=_GROUP,
        name="system calls",
        state="ok" if filtered else "note" if engine.seccomp else "fail",
        found="filtered: seen in a job's first process"
        if filtered
        else "the engine says that it filters them; no job has run here to show it"
        if engine.seccomp
        else "not filtered: this engine was built without seccomp",
        basis="tested" if filtered else "reported",
        todo="" if engine.seccomp else "use an engine with seccomp",
    )


def _labels(engine: EngineFacts) -> Check:
    found = [
        name for name in ("apparmor", "selinux") if f"name={name}" in " ".join(engine.security)
    ]
    return Check(
        group=_GROUP,
        name="mandatory access",
        state="ok" if found else "note",
        found=", ".join(found) or "neither AppArmor nor SELinux; no policy relies on one",
        basis="reported",
    )


def _users(host: Host, engine: EngineFacts) -> Check:
    if engine.rootless:
        found = "rootless, which is untried: root in a container is the engine's own user outside"
    elif engine.userns_remap:
        found = "userns-remap, which is untried: root in a container is nobody outside"
    else:
        found = "users in containers are the host's own; no job runs as root"
    plain = "may" if host.userns else "may not"
    return Check(
        group=_GROUP,
        name="user namespaces",
        state="note",
        found=f"{found}. Outside containers, ordinary users {plain} make their own",
        basis="reported",
        todo=""
        if engine.rootless or engine.userns_remap
        else "a rootless engine or `userns-remap` would narrow it; aisci is untried under both: "
        "docs/security.md",
    )


def _crashes(host: Host) -> Check:
    """At a core limit of 1 a crash writes no file and starts no program behind a pipe (core(5)).

    A socket gets the memory whatever the limit; and what runs outside of aisci has its own.
    """
    pattern = host.core_pattern
    if pattern[:1] not in ("|", "@"):
        return Check(
            group=_GROUP,
            name="crashes",
            state="ok" if pattern else "note",
            found=f"core_pattern is {pattern!r}: a file, and no container's core limit allows one"
            if pattern
            else "core_pattern cannot be read here",
            basis="read",
        )
    if pattern[0] == "|":
        return Check(
            group=_GROUP,
            name="crashes",
            state="note",
            found=f"core_pattern is {pattern!r}: the kernel would run this program, as root and "
            "outside; not for a crash in a container of ours, whose core limit of 1 stops it. A "
            "seccomp file of your own can let a job lower that limit",
            basis="read",
            todo="sysctl -w kernel.core_pattern=core, under such a file",
        )
    return Check(
        group=_GROUP,
        name="crashes",
        state="warn",
        found=f"core_pattern is {pattern!r}: when a program in a container crashes the kernel "
        "writes its memory to this socket",
        basis="read",
        todo="sysctl -w kernel.core_pattern=core, and keep it in /etc/sysctl.d",
    )
