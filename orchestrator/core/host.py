"""Facts about this machine and its engine, for the doctor, ``explain`` and refusals of a run.

``machine/survey.py`` gathers them. They contain no judgement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.core.job import Attestation


@dataclass(frozen=True, slots=True)
class Tried:
    """A runtime or a storage backend by name.

    ``tested``: tried just now and worked. ``failed``: tried or inspected, and unusable.
    ``listed``: the engine reports it, not tried. ``absent``: not there. ``why`` says what was
    observed.
    """

    name: str
    state: Literal["tested", "listed", "failed", "absent"]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What the engine reports about itself, and who may use its socket.

    ``cgroup`` is the version, 1 or 2; ``controls`` are the limits that it can set (memory, swap,
    pids, cpu). ``root`` is its data folder and ``root_disk`` the file system there. ``where`` is
    its address, ``local`` whether that is a unix socket; ``socket`` has the socket's owner, group
    and mode, ``members`` the users in the group; ``open_socket`` means that every user of this
    machine may write to it. ``warnings`` are the engine's own.
    """

    name: str
    version: str
    api: str
    kernel: str
    cgroup: int
    cgroup_driver: str
    rootless: bool
    userns_remap: bool
    security: tuple[str, ...]
    storage_driver: str
    controls: tuple[str, ...] = ("memory", "swap", "pids", "cpu")
    logging: str = ""
    live_restore: bool = False
    root: str = ""
    root_disk: str = ""
    where: str = ""
    local: bool = True
    socket: str = ""
    members: tuple[str, ...] = ()
    open_socket: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def seccomp(self) -> bool:
        """Whether it supports seccomp filters."""
        return any(option.startswith("name=seccomp") for option in self.security)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One survey of this machine; sizes in bytes.

    ``engine`` is None if none answers; ``why`` and ``todo`` then say why and what to do.
    ``components`` are (engine | containerd | runc | …, reported version), ``packages`` the (name,
    version) pairs of the distribution, ``system`` its name and release. ``patched`` are
    (component, CVE, source): vulnerabilities that the distribution fixed without a new version
    number. ``userns`` says whether an unprivileged process may create a user namespace. ``cdi``
    are the devices that the engine can assign by name, ``gpus`` those of the driver, whose version
    is ``driver``; ``gvisor_drivers`` are the versions that gVisor can pass on, none if unknown.
    ``memory`` is the total, ``memory_free`` the part available without swapping; ``disk`` is free
    space at the results folder. ``images`` are (name, ready | stale | missing), ``image_ages``
    (name, seconds since it was built).

    ``trial`` is the attestation of a real job; None if none ran, and then ``trial_todo`` says what
    to do; the runtime's own text says why.
    """

    engine: EngineFacts | None
    why: str = ""
    todo: str = ""
    runtimes: tuple[Tried, ...] = ()
    storage: tuple[Tried, ...] = ()
    components: tuple[tuple[str, str], ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    system: str = ""
    patched: tuple[tuple[str, str, str], ...] = ()
    core_pattern: str = ""
    userns: bool = False
    cdi: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    driver: str = ""
    gvisor_drivers: tuple[str, ...] = ()
    cpus: int = 0
    memory: int = 0
    memory_free: int = 0
    disk: int = 0
    images: tuple[tuple[str, str], ...] = ()
    image_ages: tuple[tuple[str, float], ...] = ()
    leftovers: int = 0
    trial: Attestation | None = None
    trial_todo: str = ""

    def runtime(self, name: str) -> Tried:
        """One runtime; ``absent`` if the engine does not list it."""
        return next((one for one in self.runtimes if one.name == name), Tried(name, "absent"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine has, in CPUs, bytes and counts.

    ``disk`` is free disk. ``gpus`` and ``gpu_memory`` (of the smallest GPU) are None if unknown.
    ``pids`` and ``open_files`` are the kernel's maxima.
    """

    cpus: int
    memory: int
    disk: int
    gpus: int | None = None
    gpu_memory: int | None = None
    pids: int = 2**22
    open_files: int = 2**20
