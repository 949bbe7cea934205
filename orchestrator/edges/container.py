"""The settings of an untrusted container: asked of the engine, then read back and compared."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator import ControlUnavailable, SandboxFailed
from orchestrator.edges.engine import Engine, translated
from orchestrator.edges.storage import volume_mount
from orchestrator.evidence import Pairs, flat, mismatches, same_keys
from orchestrator.harvest import why_unsafe
from orchestrator.records import Job, Limits

# Deep enough that a template's `../../../data` is the staged data.
WORKDIR = "/workspace/results/template/idea"
DATA_FOLDERS = ("/data", "/workspace/data")
# The program starts when the host has seen the container: its rights are read, its books are
# open and the clock runs before the first line of untrusted code does.
_GATE = 'read -r go && exec "$@"'
_DEFAULT_SECCOMP = ("name=seccomp,profile=default", "name=seccomp,profile=builtin")


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


def check_possible(engine: Engine, limits: Limits) -> dict[str, Any]:
    """The engine's own description, once it is seen to have every control asked for.

    Raises:
        ControlUnavailable: naming the policy's line and what this engine has.
    """
    with translated("asking the engine what it can do"):
        info: dict[str, Any] = engine.api.info()
    user_of(limits)
    needs = (
        ("network", not limits.network, "an allow-list; this engine edge gives no network at all"),
        ("runtime", limits.runtime in info["Runtimes"],
         f"{limits.runtime}; the engine has {', '.join(sorted(info['Runtimes']))}"),
        ("seccomp", limits.seccomp == "default",
         f"{limits.seccomp}; only the engine's own profile is enforced here"),
        ("seccomp", any(option in info["SecurityOptions"] for option in _DEFAULT_SECCOMP),
         f"default; the engine has {', '.join(info['SecurityOptions']) or 'none'}"),
        ("resources.cpus", limits.cpus <= info["NCPU"], f"{limits.cpus}; there are {info['NCPU']}"),
        ("resources.memory", limits.memory <= info["MemTotal"],
         f"{limits.memory} bytes; there are {info['MemTotal']}"),
        ("resources.memory", info["MemoryLimit"] and info["SwapLimit"] is not False,
         "no swap; the engine cannot limit memory and swap"),
        ("resources.pids", info["PidsLimit"], "a limit; the engine cannot limit processes"),
    )  # fmt: skip
    for key, given, asked in needs:
        if not given:
            raise ControlUnavailable(
                f"the policy asks for {key}: {asked}",
                where=f"engine {info['ServerVersion']} on {info['Name']}",
                todo="use another policy or another machine; nothing is weakened in silence",
            )
    return info


def body_of(
    job: Job,
    *,
    image: str,
    volume: str,
    labels: Mapping[str, str],
    duplex: bool,
    gpus: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The engine API's create request for one job, everything said out loud."""
    gate = _GATE if duplex else _GATE + " </dev/null"
    return {
        "Image": image,
        "Hostname": "aisci",  # a random one would be one more thing that differs between runs
        "User": job.limits.user,
        "WorkingDir": WORKDIR,
        "Entrypoint": ["/bin/sh", "-c", gate, "aisci"],
        "Cmd": list(job.argv),
        "Env": [f"{name}={value}" for name, value in sorted(environment(job).items())],
        "Labels": dict(labels),
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "HostConfig": _host_config(job, volume, gpus),
    }


def _host_config(job: Job, volume: str, gpus: tuple[str, ...]) -> dict[str, Any]:
    limits = job.limits
    tmpfs = f"size={max(limits.tmp, 4096)},nr_inodes={limits.inodes},mode=1777,nosuid,nodev,exec"
    lent = {
        "Driver": "",
        "Count": 0,
        "DeviceIDs": list(gpus),
        "Capabilities": [["gpu"]],
        "Options": {},
    }
    return {
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapAdd": [],
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "Memory": limits.memory,
        "MemorySwap": limits.memory,
        "NanoCpus": int(limits.cpus * 1e9),
        "PidsLimit": limits.pids,
        "ShmSize": max(limits.shm, 4096),
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
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
        "DeviceRequests": [lent] if gpus else [],
        "Tmpfs": {"/tmp": tmpfs},  # noqa: S108  # the container's own
        "Mounts": [
            volume_mount(volume, WORKDIR),
            *_data_mounts(job),
        ],
    }


def environment(job: Job) -> dict[str, str]:
    """All that the job's code sees beside the image's own variables.

    Raises:
        ControlUnavailable: a variable that would change how programs are loaded.
    """
    threads = str(max(1, math.ceil(job.limits.cpus)))
    names = {
        "HOME": "/tmp",  # noqa: S108  # the container's own
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": threads,
        **dict(job.limits.env),
        **dict(job.env),
    }
    if not job.limits.gpus:
        names["NVIDIA_VISIBLE_DEVICES"] = "void"
    _refuse_loader(names, "the policy's env")
    return names


def _refuse_loader(names: Mapping[str, str], where: str) -> None:
    for name in names:
        if name.startswith("LD_"):
            raise ControlUnavailable(
                f"{name} would change how programs are loaded, on the host's side of the GPU too",
                where=where,
                todo="remove it",
            )


def _data_mounts(job: Job) -> list[dict[str, Any]]:
    """Staged data, read-only and without what is mounted below it, at both places."""
    mounts = []
    for name, folder in job.data:
        if "/" in name or why_unsafe(name, 1):
            raise ControlUnavailable(f"{name!a} cannot name a data set", where="the job's data")
        if not Path(folder).is_dir():
            raise ControlUnavailable(
                f"data set {name!r} is not there", where=folder, todo="stage it first"
            )
        mounts += [
            {
                "Type": "bind",
                "Source": folder,
                "Target": posixpath.join(place, name),
                "ReadOnly": True,
                "BindOptions": {"NonRecursive": True},
            }
            for place in DATA_FOLDERS
        ]
    return mounts


def read_back(engine: Engine, container: str, body: Mapping[str, Any]) -> tuple[Pairs, Pairs]:
    """What was asked and what the engine made of it, both as pairs.

    Raises:
        SandboxFailed: they differ, or the image smuggles in a variable or a volume.
    """
    with translated("inspecting a container"):
        have = engine.api.inspect_container(container)
    config = {k: body[k] for k in ("User", "WorkingDir", "Entrypoint", "Cmd", "Tty", "OpenStdin")}
    asked = {"Config": config, "HostConfig": body["HostConfig"], "Image": body["Image"]}
    ask, got = flat(asked), flat(same_keys(asked, _normal(have)))
    env = dict(line.split("=", 1) for line in have["Config"]["Env"])
    wrong = list(mismatches(ask, got))
    wrong += [
        f"Env {name}: asked {value!r}, the engine has {env.get(name)!r}"
        for name, value in (line.split("=", 1) for line in body["Env"])
        if env.get(name) != value
    ]
    wrong += [f"the image sets {name}" for name in env if name.startswith("LD_")]
    places = {mount["Target"] for mount in body["HostConfig"]["Mounts"]}
    wrong += [
        f"the image adds a volume at {mount['Destination']}"
        for mount in have["Mounts"]
        if mount["Destination"] not in places
    ]
    if wrong:
        raise SandboxFailed(
            "the engine did not make the container as it was asked to",
            where=container[:12],
            why="; ".join(wrong),
            todo="`aisci doctor` shows what this engine does differently",
        )
    seen_env = tuple((f"Env.{name}", env[name]) for name in sorted(env))
    return ask, (*got, *seen_env)


def _normal(have: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's answer where it spells the same thing otherwise: null for an empty list."""
    host = dict(have["HostConfig"])
    for name in ("CapAdd", "Devices", "DeviceRequests", "Mounts", "Ulimits"):
        host[name] = host.get(name) or []
    host["Ulimits"] = sorted(host["Ulimits"], key=lambda limit: str(limit["Name"]))
    if "ALL" in (host.get("CapDrop") or ()):
        host["CapDrop"] = ["ALL"]
    return {**have, "HostConfig": host}


def check_seen(seen: Pairs, limits: Limits) -> None:
    """Whether the kernel's view of the started container is what was asked.

    Raises:
        SandboxFailed: it has a right or a name space that it must not have.
    """
    have = dict(seen)
    uid, gid = user_of(limits)
    wanted = {"Uid": " ".join([str(uid)] * 4), "Gid": " ".join([str(gid)] * 4)}
    if limits.runtime == "runc":  # another runtime's first process is its own, not the job's
        wanted |= {"NoNewPrivs": "1", "Seccomp": "2"}
        wanted |= dict.fromkeys(("CapEff", "CapPrm", "CapBnd", "CapAmb"), "0" * 16)
    wrong = [
        f"{key} is {have.get(key)!r}, not {value!r}"
        for key, value in wanted.items()
        if have.get(key) != value and (limits.runtime == "runc" or key not in ("Uid", "Gid"))
    ]
    wrong += [name for name, value in seen if name.startswith("own ") and value == "no"]
    if wrong:
        raise SandboxFailed("a container started with more rights than asked", why="; ".join(wrong))
