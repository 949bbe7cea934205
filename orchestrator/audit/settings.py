"""The engine request that a policy's limits require: the audit's own table.

It states the same as the code that makes the request (``sandbox/job/spec.py``) and shares none
of it, so that a setting that one of the two omits or widens is found by the other.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping

from orchestrator.audit.calls import AuditedContainer
from orchestrator.audit.finding import AuditFinding
from orchestrator.core.errors import AisciError
from orchestrator.policy.seccomp import DEFAULT, Profile, forms_under, profile_of
from orchestrator.record.attestation import mismatches

_WORKDIR = "/workspace/results/template/idea"
_DATA = ("/data", "/workspace/data")
_SOCKET = r"/(?:[^ ,]+/)?aisci[^ ,/]*/[^ ,/]+"  # of the proxy, in a folder that a run made for it
_PAGE = 4096  # bytes; a smaller tmpfs would have no limit
_EDITOR = "python3, -I, /opt/aisci/editor/worker.py"
_PROXY = "http://127.0.0.1:3128"
_FORWARD = "/usr/bin/python3 -I -S /opt/aisci/forward.py 3128 /run/aisci/egress.sock && "
_TOLD = (
    'while IFS= read -r word; do case "$word" in =*) set -- "$@" "${word#=}";; '
    """+*) word=$(printf '%b.' "${word#+}"); set -- "$@" "${word%.}";; *) """
)
_PRELOADED = 'read -r go && exec python -c "$@"'
_WAITING = frozenset({
    "513aeb3b6390756f161575e8efe60bd93aec72be1fc2f01c19dc839f2398e082",
})  # fmt: skip
"""The SHA-256 of each program that has waited with packages imported."""
_STATUS = "/bin/cat /proc/self/status && echo && "

_Expected = Mapping[str, str | re.Pattern[str]]


def setting_findings(
    container: AuditedContainer, default: Profile, folders: Mapping[str, str]
) -> Iterator[AuditFinding]:
    """Each setting whose request differs from the policy, or whose value differs from the request.

    ``default`` is the pinned seccomp profile of that name; ``folders`` are the folders of the data
    sets at the time of the run, by hash.
    """
    box = container.evidence
    asked, inspected = dict(box.asked), dict(box.inspected)
    try:
        expected = {
            **_program(container),
            **_rights(container, default),
            **_limits(container),
            **_mounts(container, folders),
        }
    except (AisciError, ValueError) as error:
        why = str(error)[:200]
        yield container.finding("settings", "no engine request exists for these limits", why)
        return
    for name in sorted(asked.keys() | expected.keys()):
        actual, required = asked.get(name), expected.get(name)
        held, text = actual == required, required
        if isinstance(required, re.Pattern):
            held, text = bool(actual and required.fullmatch(actual)), required.pattern
        if not held:
            what = f"{name} was requested as {actual!r}"
            yield container.finding("settings", what, f"the policy requires {text!r}")
    for mismatch in mismatches(box.asked, box.inspected):
        what = "the engine did not create the container as requested"
        yield container.finding("settings", what, mismatch)
    yield from _environment(container, inspected)


def _program(box: AuditedContainer) -> _Expected:
    """The program, which waits until the host has inspected the container."""
    limits, egress = box.limits, bool(box.limits.network)
    stdin = "" if box.kind == "editor" else " </dev/null"
    status = "" if limits.runtime == "runc" else _STATUS
    asked = dict(box.evidence.asked)
    start = f'{_FORWARD if egress else ""}exec "$@"{stdin}'
    if asked.get("Config.Cmd") == "":  # the gate is told the program, which the request names
        gate, program = f"{status}{_TOLD}{start}; exit;; esac; done; exit 125", ""
        if box.job and box.job.preload and not egress:
            gate = f"{status}{_PRELOADED}"
    else:  # as earlier programs made containers
        gate = f"{status}read -r go && {start}"
        program = ", ".join(box.job.argv) if box.job else _EDITOR
    return {
        "Image": box.evidence.image,
        "Config.User": limits.user,
        "Config.WorkingDir": _WORKDIR,
        "Config.Entrypoint": _entrypoint(f"/bin/sh, -c, {gate}, aisci", box),
        "Config.Cmd": program,
        "Config.Tty": "False",
        "Config.OpenStdin": "True",
        "Config.Healthcheck.Test": "NONE",
    }


def _entrypoint(gate: str, box: AuditedContainer) -> str:
    """The gate and, where packages may be imported in it, the program that does it and their names."""
    if not gate.endswith(f"{_PRELOADED}, aisci"):
        return gate
    assert box.job is not None
    names = "".join(f", {name}" for name in box.job.preload)
    actual = dict(box.evidence.asked).get("Config.Entrypoint", "")
    program = actual.removeprefix(f"{gate}, ").removesuffix(names)
    known = hashlib.sha256(program.encode()).hexdigest() in _WAITING
    return f"{gate}, {program if known else 'a program that waits'}{names}"


def _rights(box: AuditedContainer, default: Profile) -> _Expected:
    """No network, no capability, no device; a filter of system calls."""
    limits = box.limits
    profile = default if limits.seccomp == DEFAULT else profile_of(limits.seccomp)
    calls = "|".join(form.sha256 for form in forms_under(profile, limits.runtime))
    other = "(?:(?!GPU-).)*"
    gpus = re.compile(f"(?:{other}GPU-){{{limits.gpus}}}{other}") if limits.gpus else ""
    return {
        "HostConfig.NetworkMode": "none",
        "HostConfig.Dns": "127.0.0.1",  # with the next two: nothing of the host's resolv.conf
        "HostConfig.DnsSearch": ".",
        "HostConfig.DnsOptions": "ndots:1",
        "HostConfig.ReadonlyRootfs": "True",
        "HostConfig.Privileged": "False",
        "HostConfig.CapAdd": "",
        "HostConfig.CapDrop": "ALL",
        "HostConfig.SecurityOpt": re.compile(f"no-new-privileges:true, seccomp=sha256:(?:{calls})"),
        "HostConfig.Init": "True",
        "HostConfig.IpcMode": "private",
        "HostConfig.PidMode": "",
        "HostConfig.UTSMode": "",
        "HostConfig.LogConfig.Type": "none",
        "HostConfig.RestartPolicy.Name": "no",
        "HostConfig.AutoRemove": "False",
        "HostConfig.Runtime": limits.runtime,
        "HostConfig.Devices": "",
        "HostConfig.DeviceRequests": gpus,
    }


def _limits(box: AuditedContainer) -> _Expected:
    limits = box.limits
    ulimits = (("core", 1), ("fsize", limits.file), ("nofile", limits.open_files))
    return {
        "HostConfig.Memory": str(limits.memory),
        "HostConfig.MemorySwap": str(limits.memory),  # both together: no swap
        "HostConfig.NanoCpus": str(int(limits.cpus * 1e9)),
        "HostConfig.PidsLimit": str(limits.pids),
        "HostConfig.ShmSize": str(max(limits.shm, _PAGE)),
        "HostConfig.Ulimits": ", ".join(f"Hard={n} Name={name} Soft={n}" for name, n in ulimits),
        "HostConfig.Tmpfs./tmp": f"size={max(limits.tmp, _PAGE)},nr_inodes={limits.inodes},"
        "mode=1777,nosuid,nodev,exec",
    }


def _mounts(box: AuditedContainer, folders: Mapping[str, str]) -> _Expected:
    """The volume with a quota, the staged data read-only, and the proxy's socket if allowed."""
    data = box.job.data if box.job else ()
    volume = rf"Source=aisci-[0-9a-z-]+ Target={re.escape(_WORKDIR)}"
    mounts = [f"{volume} Type=volume VolumeOptions=NoCopy=True"]
    mounts += [
        _bind(re.escape(folders.get(source, source)), f"{place}/{name}")
        for name, source in data
        for place in _DATA
    ]
    mounts += [_bind(_SOCKET, "/run/aisci/egress.sock")] if box.limits.network else []
    return {"HostConfig.Mounts": re.compile(", ".join(mounts))}


def _bind(source: str, target: str) -> str:
    where = f"Source={source} Target={re.escape(target)}"
    return f"BindOptions=NonRecursive=True ReadOnly=True {where} Type=bind"


def _environment(box: AuditedContainer, inspected: Mapping[str, str]) -> Iterator[AuditFinding]:
    """The variables of the policy and the job; the image may add others."""
    limits = box.limits
    expected = {
        "HOME": "/tmp",  # noqa: S108  # inside the container
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": str(max(1, math.ceil(limits.cpus))),
        **dict(limits.env),
        **dict(box.job.env if box.job else ()),
    }
    expected |= {} if limits.gpus else {"NVIDIA_VISIBLE_DEVICES": "void"}
    expected |= {"HTTPS_PROXY": _PROXY, "HTTP_PROXY": ""} if limits.network else {}
    for name, value in expected.items():
        actual = inspected.get(f"Env.{name}")
        if actual != value:
            what = f"the variable {name} was {actual!r}"
            yield box.finding("settings", what, f"the policy requires {value!r}")
    for name in inspected:
        # An image could use such a variable to load its own code into every program.
        if name.startswith("Env.LD_"):
            what = f"the variable {name[4:]} changes how programs are loaded"
            yield box.finding("settings", what)
