"""What this machine and its engine are, as the doctor, ``explain`` and a run's refusals see it.

Looked at by ``edges/hostlook.py``; judged elsewhere. Nothing in here is a judgement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.core.job import Attestation

Tries = Literal["tested", "listed", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A runtime or a storage backend by name.

    ``tested``: tried just now, and it held. ``failed``: tried, or looked at, and it cannot be
    used. ``listed``: it is said to be there, and was not tried. ``absent``: it is not there.
    ``why`` is what was seen, in words.
    """

    name: str
    state: Tries
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What the engine says of itself, and what its socket's file says of who may use it.

    ``cgroup`` is the version, 1 or 2; ``controls`` are the limits that it says it can set
    (memory, swap, pids, cpu). ``root`` is the folder of its data and ``root_disk`` the file
    system there. ``where`` is how it is reached, ``local`` whether that is a unix socket;
    ``socket`` are that socket's owner, group and mode, ``members`` the people in the group, and
    ``open_socket`` says that everybody on this machine may write to it. ``warnings`` are the
    engine's own, in its words.
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
        """Whether it can put a filter on system calls."""
        return any(option.startswith("name=seccomp") for option in self.security)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One look at this machine; sizes in bytes.

    ``engine`` is None where none answers, and ``why`` and ``todo`` say why and what to do.
    ``components`` are (engine | containerd | runc | …, its version as told), ``packages``
    (name, version) of those that the distribution installed, ``system`` its name and release.
    ``mended`` are (component, CVE, where that is written): holes that the distribution mended
    without raising the number.
    ``userns`` says whether an unprivileged process may make a user namespace here. ``cdi`` are
    the devices that the engine lends by name, ``gpus`` those of the driver. ``memory`` is all of
    it, ``memory_free`` what can be had without swapping; ``disk`` is free where results lie.
    ``images`` are (name, ready | stale | missing).

    ``trial`` is the attestation of a real job, None where none was run or it could not run;
    then ``trial_why`` and ``trial_todo`` say why.
    """

    engine: EngineFacts | None
    why: str = ""
    todo: str = ""
    runtimes: tuple[Tried, ...] = ()
    storage: tuple[Tried, ...] = ()
    components: tuple[tuple[str, str], ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    system: str = ""
    mended: tuple[tuple[str, str, str], ...] = ()
    core_pattern: str = ""
    userns: bool = False
    cdi: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    cpus: int = 0
    memory: int = 0
    memory_free: int = 0
    disk: int = 0
    images: tuple[tuple[str, str], ...] = ()
    leftovers: int = 0
    trial: Attestation | None = None
    trial_why: str = ""
    trial_todo: str = ""

    def runtime(self, name: str) -> Tried:
        """What is known of one runtime; ``absent`` where the engine does not name it."""
        return _named(self.runtimes, name)

    def backend(self, name: str) -> Tried:
        """What is known of one storage backend."""
        return _named(self.storage, name)


def _named(tried: tuple[Tried, ...], name: str) -> Tried:
    return next((one for one in tried if one.name == name), Tried(name, "absent"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine has, in CPUs, bytes and counts.

    ``disk`` is free disk. ``gpus`` and ``gpu_memory``, that of the smallest GPU, are None where
    nobody looked. ``pids`` and ``open_files`` are the most that its kernel allows.
    """

    cpus: int
    memory: int
    disk: int
    gpus: int | None = None
    gpu_memory: int | None = None
    pids: int = 2**22
    open_files: int = 2**20
