"""All settings of an untrusted container, as the engine is asked for them."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.filenames import why_unsafe
from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind, Limits
from orchestrator.policy.lint import LEAST_TMPFS
from orchestrator.policy.seccomp import profile_of, under
from orchestrator.policy.values import why_not_set
from orchestrator.sandbox.engine.resolver import NO_NAMES
from orchestrator.sandbox.gpus.cdi import device_requests
from orchestrator.sandbox.storage.helper import ATTACHED, volume_mount

# Deep enough that a template's `../../../data` is the staged data.
WORKDIR = "/workspace/results/template/idea"
DATA_FOLDERS = ("/data", "/workspace/data")
# Bytes of a core file: too few for any, and the only limit at which the kernel does not start the
# host's crash handler (core(5)). The profile refuses to lower it to 0, where it would.
NO_CORE = 1
# The program starts when the host has checked the container: its rights are read, its counters
# are open and the clock runs before the first line of untrusted code. The gate reads the program's
# words, a line each, and starts it at the empty line; so a container needs no job to be made. A
# word stands after "=" as it is, or after "+" with backslashes for its line breaks.
_GATE = (
    'while IFS= read -r word; do case "$word" in =*) set -- "$@" "${{word#=}}";; '
    """+*) word=$(printf '%b.' "${{word#+}}"); set -- "$@" "${{word%.}}";; """
    '*) {first}exec "$@"{stdin}; exit;; esac; done; exit 125'
)
# The gate of a job that may be preloaded: at the first empty line, which the host sends when it has read
# the container's settings and rights, packages are imported; then the words are read as above.
_PRELOAD_GATE = 'read -r go && exec python -c "$@"'
BEGINS_IMPORTS = b"\n"
# Under an allow-list the program starts only if the forwarder to the host's proxy runs.
PROXY_SOCKET, _PROXY_PORT = "/run/aisci/egress.sock", 3128
_FORWARD = f"/usr/bin/python3 -I -S /opt/aisci/forward.py {_PROXY_PORT} {PROXY_SOCKET} && "
# Only gVisor's kernel knows the job's processes, so the gate writes what it reports.
_TELL = "/bin/cat /proc/self/status && echo && "  # whatever PATH a policy or an image sets
_PROXIES = {
    **dict.fromkeys(("HTTP_PROXY", "ALL_PROXY", "FTP_PROXY"), ""),
    "HTTPS_PROXY": f"http://127.0.0.1:{_PROXY_PORT}",
    "NO_PROXY": "localhost,127.0.0.1,::1",
}


def opens_gate(argv: Sequence[str]) -> bytes:
    """What the gate reads before it starts ``argv``."""
    return "".join(f"{_word(word)}\n" for word in argv).encode(errors="surrogateescape") + b"\n"


def _word(word: str) -> str:
    if "\n" not in word:
        return f"={word}"
    return "+" + word.replace("\\", "\\\\").replace("\n", "\\n")


def user_of(limits: Limits) -> tuple[int, int]:
    """The numeric user and group. Raises :class:`ControlUnavailable` for anything else."""
    uid, _, gid = limits.user.partition(":")
    if not (uid.isdecimal() and gid.isdecimal()) or 0 in (int(uid), int(gid)):
        raise ControlUnavailable(
            f"user {limits.user!r} cannot be enforced",
            where="the policy's user",
            todo="give a numeric user:group, neither of them 0",
        )
    return int(uid), int(gid)


class Boxed(Protocol):
    """What decides a container's settings: of a job, or of the shape of jobs."""

    @property
    def kind(self) -> ContainerKind: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def env(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def data(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def preload(self) -> tuple[str, ...]: ...


def create_request(
    job: Boxed,
    *,
    image: str,
    volume: str,
    labels: Mapping[str, str],
    duplex: bool,
    gpus: tuple[str, ...] = (),
    cdi: tuple[str, ...] = (),
    egress: str = "",
) -> dict[str, Any]:
    """The engine API's create request for one job, with every setting explicit.

    ``gpus`` are the UUIDs lent, ``cdi`` the devices that the engine knows by name.
    ``egress`` is the host's path of the proxy's socket, if the policy has an allow-list.
    """
    gate = _GATE.format(first=_FORWARD if egress else "", stdin="" if duplex else " </dev/null")
    told: tuple[str, ...] = ()
    if preloads(job, duplex=duplex):
        gate, told = _PRELOAD_GATE, (_waiting(), *job.preload)
    gate = gate if job.limits.runtime == "runc" else _TELL + gate
    return {
        "Image": image,
        "Hostname": "aisci",  # a random one would differ between runs
        "User": job.limits.user,
        "WorkingDir": WORKDIR,
        "Entrypoint": ["/bin/sh", "-c", gate, "aisci", *told],
        "Cmd": [],  # the gate is told it
        "Env": [f"{name}={value}" for name, value in sorted(environment(job, gpus).items())],
        "Labels": dict(labels),
        **ATTACHED,
        "Tty": False,
        "Healthcheck": {"Test": ["NONE"]},  # an image's own would run before the gate opens
        "HostConfig": _host_config(job, volume, device_requests(gpus, cdi), egress),
    }


def preloads(job: Boxed, *, duplex: bool) -> bool:
    """Whether an interpreter waits for the job with packages imported. Not where another program, the
    forwarder or the caller's own, reads its input or must run before it.
    """
    return bool(job.preload) and job.kind == "experiment" and not duplex and not job.limits.network


@cache
def _waiting() -> str:
    return (shipped_root() / "sandbox" / "preload" / "wait.py").read_text("utf-8")


def _host_config(
    job: Boxed, volume: str, lent: list[dict[str, Any]], egress: str
) -> dict[str, Any]:
    limits = job.limits
    profile = under(profile_of(limits.seccomp), limits.runtime)
    tmpfs = (
        f"size={max(limits.tmp, LEAST_TMPFS)},nr_inodes={limits.inodes},mode=1777,nosuid,nodev,exec"
    )
    return {
        "NetworkMode": "none",
        **NO_NAMES,
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapAdd": [],
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={profile.text}"],
        "Memory": limits.memory,
        "MemorySwap": limits.memory,
        "NanoCpus": int(limits.cpus * 1e9),
        "PidsLimit": limits.pids,
        "ShmSize": max(limits.shm, LEAST_TMPFS),
        "Ulimits": [
            {"Name": "core", "Soft": NO_CORE, "Hard": NO_CORE},
            {"Name": "fsize", "Soft": limits.file, "Hard": limits.file},
            {"Name": "nofile", "Soft": limits.open_files, "Hard": limits.open_files},
        ],
        "Init": True,
        "IpcMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "LogConfig": {"Type": "none"},
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": False,
        "Runtime": limits.runtime,
        "Devices": [],
        "DeviceRequests": lent,
        "Tmpfs": {"/tmp": tmpfs},  # noqa: S108  # the container's own
        "Mounts": [
            volume_mount(volume, WORKDIR),
            *_data_mounts(job),
            *([_bind(egress, PROXY_SOCKET)] if egress else []),
        ],
    }


def environment(job: Boxed, gpus: tuple[str, ...] = ()) -> dict[str, str]:
    """All variables of the job's code, in addition to the image's own.

    Raises :class:`ControlUnavailable` for one that would change how programs are loaded, or which
    GPUs are lent: some engines give out devices by the container's own variables.
    """
    threads = str(max(1, math.ceil(job.limits.cpus)))
    names = {
        "HOME": "/tmp",  # noqa: S108  # the container's own
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": threads,
        **dict(job.limits.env),
        **dict(job.env),
    }
    for name in names:
        why = why_not_set(name, job.limits.network)
        if why:
            raise ControlUnavailable(f"{name} {why}", where="the policy's env", todo="remove it")
    if job.limits.network:  # in both spellings: HTTPS through the forwarder, no other proxy
        names |= _PROXIES | {name.lower(): value for name, value in _PROXIES.items()}
    if gpus:  # no graphics: experiments do not need those libraries of the driver
        names["NVIDIA_DRIVER_CAPABILITIES"] = "compute,utility"
    return names | {"NVIDIA_VISIBLE_DEVICES": ",".join(gpus) or "void"}


def _data_mounts(job: Boxed) -> list[dict[str, Any]]:
    """Staged data, read-only and without the mounts below it, at both places."""
    mounts = []
    for name, folder in job.data:
        if "/" in name or why_unsafe(name, 1):
            raise ControlUnavailable(
                f"{name!a} is not a valid name of a data set",
                where="the job's data",
                todo="rename its folder: letters, digits, dots, dashes and underscores",
            )
        if not Path(folder).is_dir():
            raise ControlUnavailable(
                f"the data set {name!r} is missing",
                where=folder,
                todo="stage it: `aisci data prepare TEMPLATE`",
            )
        mounts += [_bind(folder, posixpath.join(place, name)) for place in DATA_FOLDERS]
    return mounts


def _bind(source: str, target: str) -> dict[str, Any]:
    """A read-only bind mount; a socket can be connected to, not replaced or removed."""
    bind = {"Type": "bind", "Source": source, "Target": target}
    return {**bind, "ReadOnly": True, "BindOptions": {"NonRecursive": True}}
