"""What an engine has to be asked for under a policy's limits: a table of an auditor's own.

It says the same as the code that asks (``edges/container.py``) and shares none of it: a setting
that one of the two forgets or widens is found by the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from orchestrator.audit.calls import Box
from orchestrator.audit.finding import NOT_HELD, Finding
from orchestrator.core.errors import AisciError
from orchestrator.policy.seccomp import DEFAULT, Profile, profile_of, under
from orchestrator.record.attestation import mismatches

_WORKDIR = "/workspace/results/template/idea"
_DATA = ("/data", "/workspace/data")
_PAGE = 4096  # bytes; a tmpfs of less would be one without a limit
_EDITOR = "python3, -I, /opt/aisci/editor/worker.py"
_PROXY = "http://127.0.0.1:3128"
_FORWARD = "/usr/bin/python3 -I -S /opt/aisci/forward.py 3128 /run/aisci/egress.sock && "
_STATUS = "/bin/cat /proc/self/status && echo && "

Wanted = Mapping[str, str | re.Pattern[str]]


def settings(
    box: Box, default: Profile, folders: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Each setting that was asked otherwise than the policy says, or that the engine took otherwise.

    ``default`` is the filter that a policy's word for it stood for when the run was recorded;
    ``folders`` is where each data set lay then, by its hash.
    """
    if box.attestation is None:
        return
    asked, inspected = dict(box.attestation.asked), dict(box.attestation.inspected)
    try:
        wanted = {
            **_of_program(box),
            **_of_rights(box, default),
            **_of_limits(box),
            **_of_places(box, folders or {}),
        }
    except (AisciError, ValueError) as error:
        yield _wrong(box, "the limits are none that an engine can be asked for", str(error)[:200])
        return
    for name in sorted(asked.keys() | wanted.keys()):
        have, want = asked.get(name), wanted.get(name)
        if want is None or have is None or not _fits(have, want):
            shown = want.pattern if isinstance(want, re.Pattern) else want
            yield _wrong(box, f"{name} was asked as {have!r}", f"the policy makes it {shown!r}")
    for told in mismatches(box.attestation.asked, box.attestation.inspected):
        yield _wrong(box, "the engine did not make the container as it was asked", told)
    yield from _environment(box, inspected)


def _fits(have: str, want: str | re.Pattern[str]) -> bool:
    return have == want if isinstance(want, str) else want.fullmatch(have) is not None


def _wrong(box: Box, what: str, why: str) -> Finding:
    return Finding(check="settings", where=box.where, what=what, why=why, todo=NOT_HELD)


def _of_program(box: Box) -> Wanted:
    """What is started, and how: behind a gate that the host opens when it has looked."""
    limits, egress = box.limits, bool(box.limits.network)
    stdin = "" if box.kind == "editor" else " </dev/null"
    status = "" if limits.runtime == "runc" else _STATUS
    gate = f'{status}read -r go && {_FORWARD if egress else ""}exec "$@"{stdin}'
    return {
        "Image": box.attestation.image if box.attestation else "",
        "Config.User": limits.user,
        "Config.WorkingDir": _WORKDIR,
        "Config.Entrypoint": f"/bin/sh, -c, {gate}, aisci",
        "Config.Cmd": ", ".join(box.job.argv) if box.job else _EDITOR,
        "Config.Tty": "False",
        "Config.OpenStdin": "True",
        "Config.Healthcheck.Test": "NONE",
    }


def _of_rights(box: Box, default: Profile) -> Wanted:
    """No network, no right, no device; a filter on system calls."""
    limits = box.limits
    profile = default if limits.seccomp == DEFAULT else profile_of(limits.seccomp)
    calls = under(profile, limits.runtime)
    other = "(?:(?!GPU-).)*"
    gpus = re.compile(f"(?:{other}GPU-){{{limits.gpus}}}{other}") if limits.gpus else ""
    return {
        "HostConfig.NetworkMode": "none",
        "HostConfig.ReadonlyRootfs": "True",
        "HostConfig.Privileged": "False",
        "HostConfig.CapAdd": "",
        "HostConfig.CapDrop": "ALL",
        "HostConfig.SecurityOpt": f"no-new-privileges:true, seccomp=sha256:{calls.sha256}",
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


def _of_limits(box: Box) -> Wanted:
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


def _of_places(box: Box, folders: Mapping[str, str]) -> Wanted:
    """The quota'd volume, the staged data read-only, and the proxy's socket under an allow-list."""
    data = box.job.data if box.job else ()
    mounts = [
        rf"Source=aisci-[0-9a-z-]+ Target={re.escape(_WORKDIR)} Type=volume VolumeOptions=NoCopy=True"
    ]
    mounts += [
        _bind(re.escape(folders.get(source, source)), f"{place}/{name}")
        for name, source in data
        for place in _DATA
    ]
    mounts += [_bind(r"/[^ ,]+", "/run/aisci/egress.sock")] if box.limits.network else []
    return {"HostConfig.Mounts": re.compile(", ".join(mounts))}


def _bind(source: str, target: str) -> str:
    where = f"Source={source} Target={re.escape(target)}"
    return f"BindOptions=NonRecursive=True ReadOnly=True {where} Type=bind"


def _environment(box: Box, inspected: Mapping[str, str]) -> Iterator[Finding]:
    """The job's variables as the policy and the job have them; the image's own may stand beside."""
    limits = box.limits
    wanted = {
        "HOME": "/tmp",  # noqa: S108  # the container's own
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": str(max(1, math.ceil(limits.cpus))),
        **dict(limits.env),
        **dict(box.job.env if box.job else ()),
    }
    wanted |= {} if limits.gpus else {"NVIDIA_VISIBLE_DEVICES": "void"}
    wanted |= {"HTTPS_PROXY": _PROXY, "HTTP_PROXY": ""} if limits.network else {}
    for name, want in wanted.items():
        have = inspected.get(f"Env.{name}")
        if have != want:
            yield _wrong(box, f"the variable {name} was {have!r}", f"the policy makes it {want!r}")
    for name in inspected:
        if name.startswith("Env.LD_"):
            yield _wrong(box, f"the variable {name[4:]} changes how programs are loaded", "")
