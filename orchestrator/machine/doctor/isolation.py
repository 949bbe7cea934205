"""The controls: runtimes, storage, limits, namespaces, filters; tested where that is possible."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.core.host import EngineFacts, Host, Tried
from orchestrator.machine.doctor.check import Basis, Check, CheckState
from orchestrator.policy.runtimes import CAP_SETS

_KERNEL_LIMITS = {"memory": "limit memory", "swap": "limit swap", "pids": "limit pids",
                  "cpu": "limit cpus"}  # fmt: skip

_check = partial(Check, "controls")


def isolation_checks(host: Host, engine: EngineFacts) -> Iterator[Check]:
    """Checks of every control that this machine may give or lack."""
    yield from (_runtime(host, runtime) for runtime in host.runtimes)
    yield from _storage(host)
    yield _limits(host, engine)
    yield from _rights(host)
    yield _seccomp(host, engine)
    options = " ".join(engine.security)
    found = ", ".join(name for name in ("apparmor", "selinux") if f"name={name}" in options)
    state: CheckState = "ok" if found else "note"
    found = found or "neither AppArmor nor SELinux; no policy relies on one"
    yield _check("mandatory access", state, found, "reported")
    yield _users(host, engine)
    yield _crashes(host)


def _runtime(host: Host, runtime: Tried) -> Check:
    state: CheckState = "note"
    todo = ""
    if runtime.state == "tested":
        state = "ok"
    elif runtime.name == "runc":
        state, todo = "fail", host.trial_todo or "nothing can run here without it"
    elif runtime.state == "failed":
        state, todo = "warn", "policies with `runtime: runsc` cannot run here until this is fixed"
    elif runtime.name == "runsc":
        todo = "`make gvisor`, or https://gvisor.dev/docs/user_guide/install"
    basis: Basis = "tested" if runtime.state in ("tested", "failed") else "reported"
    return _check(f"runtime {runtime.name}", state, runtime.why or runtime.state, basis, todo)


def _storage(host: Host) -> Iterator[Check]:
    states: dict[str, CheckState] = {"tested": "ok", "failed": "warn"}
    for backend in host.storage:
        state, found = states.get(backend.state, "note"), backend.why or backend.state
        basis: Basis = "reported" if backend.state == "listed" else "tested"
        yield _check(f"quota on {backend.name}", state, found, basis)
    usable = [one.name for one in host.storage if one.state not in ("absent", "failed")]
    if set(usable) <= {"tmpfs"}:
        found = "no backend enforces a quota: no job can run"
        if usable:
            found = "none: only a workspace that fits into a job's memory is possible"
        todo = "modprobe loop; or the engine's data on XFS mounted with pquota"
        yield _check("workspace on disk", "warn" if usable else "fail", found, "tested", todo)


def _limits(host: Host, engine: EngineFacts) -> Check:
    """The limits that the engine reports, and those that the kernel showed for a real container."""
    seen = dict(host.trial.seen) if host.trial else {}
    missing = [name for name in _KERNEL_LIMITS if name not in engine.controls]
    set_ = [name for name, key in _KERNEL_LIMITS.items() if seen.get(key, "no limit") != "no limit"]
    found, todo = f"cgroup version {engine.cgroup}, driver {engine.cgroup_driver}; ", ""
    if missing:
        found += f"the engine cannot limit {', '.join(missing)}"
        todo = "boot the kernel with `cgroup_enable=memory swapaccount=1`; a rootless engine needs "
        todo += "cgroups version 2 and their delegation"
    elif host.trial is None:
        found += "the engine says that it can set them; no job has run here to show it"
    else:
        found += f"set and read back from the kernel: {', '.join(set_) or 'none'}"
    wrong = missing or (host.trial and len(set_) < len(_KERNEL_LIMITS))
    state: CheckState = "fail" if wrong else "ok" if host.trial else "note"
    return _check("limits", state, found, "tested" if host.trial else "reported", todo)


def _rights(host: Host) -> Iterator[Check]:
    """The rights of a job's first process, as the kernel reports them; nothing if no job ran."""
    if host.trial is None:
        return
    seen = dict(host.trial.seen)
    wrong = [name for name in CAP_SETS if seen.get(name, "0").strip("0")]
    wrong += [name for name in ("Uid", "Gid") if "0" in seen.get(name, "").split()]
    wrong += ["NoNewPrivs"] if seen.get("NoNewPrivs") != "1" else []
    wrong += [name for name, value in seen.items() if name.startswith("own ") and value != "yes"]
    own = ", ".join(name.split()[1] for name in seen if name.startswith("own "))
    found = "no capability, no new privileges, not root, "
    found += (
        f"its own namespaces: {own}" if own else "its own namespaces as the engine reports them"
    )
    state: CheckState = "ok" if own else "note"
    todo = "" if own else "only root may read another user's namespaces; evidence then lacks them"
    if wrong:
        state, found = "fail", f"not as required: {', '.join(wrong)}"
    yield _check("rights", state, found, "tested", todo)


def _seccomp(host: Host, engine: EngineFacts) -> Check:
    if host.trial is not None and dict(host.trial.seen).get("Seccomp") == "2":
        found = "filtered: seen in a job's first process"
        todo = "" if engine.seccomp else "use an engine with seccomp"
        return _check("system calls", "ok", found, "tested", todo)
    if engine.seccomp:
        found = "the engine says that it filters them; no job has run here to show it"
        return _check("system calls", "note", found, "reported")
    found = "not filtered: this engine was built without seccomp"
    return _check("system calls", "fail", found, "reported", "use an engine with seccomp")


def _users(host: Host, engine: EngineFacts) -> Check:
    todo = ""
    if engine.rootless:
        found = "rootless, which is untried: root in a container is the engine's user outside"
    elif engine.userns_remap:
        found = "userns-remap, which is untried: root in a container has no rights outside"
    else:
        found = "users in containers are users of the host; no job runs as root"
        todo = "a rootless engine or `userns-remap` would separate them; aisci is untried under "
        todo += "both: docs/security.md"
    found += f". Outside containers, ordinary users {'may' if host.userns else 'may not'} make "
    return _check("user namespaces", "note", found + "user namespaces", "reported", todo)


def _crashes(host: Host) -> Check:
    """At a core limit of 1 a crash writes no file and starts no program behind a pipe (core(5)).

    A socket gets the memory whatever the limit; and programs outside aisci have their own limit.
    """
    pattern, fix = host.core_pattern, "sysctl -w kernel.core_pattern=core"
    if not pattern:
        return _check("crashes", "note", "core_pattern cannot be read here", "read")
    found = f"core_pattern is {pattern!r}: "
    if pattern[0] == "|":
        found += "the kernel would run this program, as root and outside; not for a crash in "
        found += "aisci's containers, whose core limit of 1 prevents it. A custom seccomp file "
        found += "can let a job lower that limit"
        return _check("crashes", "note", found, "read", f"{fix}, under such a file")
    if pattern[0] == "@":
        found += "when a program in a container crashes the kernel writes its memory to this socket"
        return _check("crashes", "warn", found, "read", f"{fix}, and keep it in /etc/sysctl.d")
    found += "a file, and no container's core limit allows one"
    return _check("crashes", "ok", found, "read")
