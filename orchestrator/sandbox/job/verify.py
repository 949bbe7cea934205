"""Checks before and after a container is created: can the engine do it, did it, does the kernel agree."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.errors import ControlUnavailable, SandboxFailed
from orchestrator.core.job import UNREAD, Limits
from orchestrator.core.tree import digest
from orchestrator.policy.runtimes import CAP_SETS, unread
from orchestrator.record.attestation import SettingPairs, flatten_settings, mismatches, same_keys
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.resolver import foreign_lines
from orchestrator.sandbox.gpus.cdi import same_form
from orchestrator.sandbox.job import gvisor
from orchestrator.sandbox.job.kernel_limits import exceeded_limits
from orchestrator.sandbox.job.spec import user_of
from orchestrator.sandbox.storage.quota import OPTIONS
from orchestrator.sandbox.storage.xfs import mount_of

_FILTER = "seccomp="
WORKSPACE, NO_MOUNT = "mount of the workspace", "none"


def check_engine(engine: Engine, limits: Limits) -> dict[str, Any]:
    """The engine's description, if it has every control. Raises :class:`ControlUnavailable`."""
    with translated("asking the engine what it can do"):
        info: dict[str, Any] = engine.api.info()
    user_of(limits)
    needs = (
        ("runtime", limits.runtime in info["Runtimes"],
         f"{limits.runtime}; the engine has {', '.join(sorted(info['Runtimes']))}"),
        ("seccomp", any(option.startswith("name=seccomp") for option in info["SecurityOptions"]),
         f"a filter; the engine has {', '.join(info['SecurityOptions']) or 'none'}"),
        ("resources.cpus", limits.cpus <= info["NCPU"], f"{limits.cpus}; there are {info['NCPU']}"),
        ("resources.memory", limits.memory <= info["MemTotal"],
         f"{limits.memory} bytes; there are {info['MemTotal']}"),
        ("resources.memory", info["MemoryLimit"] and info["SwapLimit"] is not False,
         "no swap; the engine cannot limit memory and swap"),
        ("resources.pids", info["PidsLimit"], "a limit; the engine cannot limit processes"),
        *(gvisor.requirements(limits, info) if limits.runtime == gvisor.RUNTIME else ()),
    )  # fmt: skip
    for key, given, asked in needs:
        if not given:
            raise ControlUnavailable(
                f"the policy asks for {key}: {asked}",
                where=f"engine {info['ServerVersion']} on {info['Name']}",
                todo="use another policy or another machine; no limit is weakened silently",
            )
    return info


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Settings as asked for and as the engine reports them; with its first process, 0 before the start."""

    asked: SettingPairs
    inspected: SettingPairs
    pid: int = 0
    resolv_conf: str = ""
    running: bool = False


def read_back(engine: Engine, container: str, body: Mapping[str, Any]) -> ReadBack:
    """What the engine reports of a container, beside what it was asked for.

    Raises :class:`SandboxFailed` if they differ, or the image adds a variable or a volume.
    """
    with translated("inspecting a container"):
        have = engine.api.inspect_container(container)
    keys = ("User", "WorkingDir", "Entrypoint", "Cmd", "Tty", "OpenStdin", "Healthcheck")
    config = {key: body[key] for key in keys}
    host = body["HostConfig"] | {"SecurityOpt": hash_profiles(body["HostConfig"]["SecurityOpt"])}
    asked = {"Config": config, "HostConfig": host, "Image": body["Image"]}
    ask, got = flatten_settings(asked), flatten_settings(same_keys(asked, _normal(have)))
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
            "the engine created a container with other settings than requested",
            where=container[:12],
            why="; ".join(wrong),
            todo="`aisci doctor` shows what this engine does differently",
        )
    seen_env = tuple((f"Env.{name}", env[name]) for name in sorted(env))
    state, resolv = have["State"], str(have.get("ResolvConfPath") or "")
    return ReadBack(ask, (*got, *seen_env), int(state["Pid"]), resolv, bool(state["Running"]))


def hash_profiles(options: Iterable[str]) -> list[str]:
    """Security options with a profile's hash in its place: engines may reformat its JSON."""
    return [_hash_of(option) if option.startswith(_FILTER) else option for option in options]


def _hash_of(option: str) -> str:
    try:
        return f"{_FILTER}sha256:{digest(json.loads(option.removeprefix(_FILTER)))}"
    except ValueError:  # a word such as "unconfined"
        return option


def _normal(have: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's answer with differing spellings unified, such as null for an empty list."""
    host = dict(have["HostConfig"])
    for name in ("CapAdd", "Devices", "DeviceRequests", "Mounts", "Ulimits"):
        host[name] = host.get(name) or []
    host["DeviceRequests"] = [same_form(request) for request in host["DeviceRequests"]]
    host["Ulimits"] = sorted(host["Ulimits"], key=lambda limit: str(limit["Name"]))
    host["SecurityOpt"] = hash_profiles(host.get("SecurityOpt") or [])
    if "ALL" in (host.get("CapDrop") or ()):
        host["CapDrop"] = ["ALL"]
    return {**have, "HostConfig": host}


def check_kernel_view(seen: SettingPairs, limits: Limits) -> None:
    """Raise :class:`SandboxFailed` if the kernel's view of the started container shows too much.

    That is a right or a namespace that it must not have, or a limit higher than requested.
    """
    have, skipped = dict(seen), unread(limits.runtime)
    uid, gid = user_of(limits)
    required = {"Uid": " ".join([str(uid)] * 4), "Gid": " ".join([str(gid)] * 4)}
    required |= {"NoNewPrivs": "1", "Seccomp": "2"}
    required |= dict.fromkeys(CAP_SETS, "0" * 16)
    if skipped:
        # The runtime's own process may have some, where they reach nothing; the job has none.
        inside = {key: value for key, value in required.items() if key in gvisor.STATUS_FIELDS}
        required |= {f"inside {key}": value for key, value in inside.items()}
        required |= {"user namespace": "own"}
    wrong = [
        f"{key} is {have.get(key)!r}, not {value!r}"
        for key, value in required.items()
        if key not in skipped and have.get(key) != value
    ]
    spaces = ((name, value) for name, value in seen if name.startswith("own "))
    wrong += [
        name for name, value in spaces if value not in ("yes", UNREAD) and name not in skipped
    ]
    wrong += foreign_lines(seen) + exceeded_limits(seen, limits)
    if wrong:
        raise SandboxFailed(
            "a container started with more rights than requested",
            where=f"runtime {limits.runtime}",
            why="; ".join(wrong),
            todo="do not use this engine; `aisci doctor` shows what it does differently",
        )


def workspace_of(pid: int, workdir: str) -> SettingPairs:
    """How a container's working directory is mounted, as its first process sees it.

    :data:`UNREAD` where this process may not read it: then only the engine's report is known.
    """
    try:
        text = Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return ((WORKSPACE, UNREAD),)
    if not any(line.split()[4] == workdir for line in text.splitlines()):
        return ((WORKSPACE, NO_MOUNT),)
    mount = mount_of(Path(workdir), text)
    return ((WORKSPACE, f"{mount.kind} {','.join(mount.options)}"),)


def check_workspace(seen: SettingPairs, backend: str) -> None:
    """Raise :class:`SandboxFailed` if the engine omitted the mount, or an option of its backend.

    ``xfs`` asks for no option: a bind takes the host's.
    """
    words = dict(seen).get(WORKSPACE, UNREAD)
    if words == UNREAD or (backend == "xfs" and words != NO_MOUNT):
        return
    missing = set(OPTIONS.split(",")) - set(words.partition(" ")[2].split(","))
    if missing:
        raise SandboxFailed(
            "a job's workspace was not mounted as requested",
            where="the workspace of a job",
            why=f"without {', '.join(sorted(missing))}: {words}",
            todo="`aisci doctor` shows what this engine does differently",
        )
