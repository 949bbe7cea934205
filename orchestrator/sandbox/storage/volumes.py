"""The quota'd volumes of one run, on the best backend that was tested here.

``xfs`` creates and reserves nothing, and counts inodes exactly; ``loop`` works on any disk and
reserves a job's space, at the cost of a file system inside a file; ``tmpfs`` takes its space from
the job's memory. Each is used only where its quota is hard.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from orchestrator.core.errors import AisciError, ControlUnavailable, EngineFailed, SandboxFailed
from orchestrator.core.job import Limits
from orchestrator.policy.seccomp import DEFAULT, profile_of, shipped_profile, under
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.engine.objects import make_volume, remove_volume
from orchestrator.sandbox.storage.helper import Helper, helper_body, volume_mount
from orchestrator.sandbox.storage.quota import (
    BACKENDS,
    Quota,
    check_fits,
    loop_device,
    volume_options,
)
from orchestrator.sandbox.storage.xfs import pool_folder, project_folder

_PROBE = Quota(bytes=8 << 20, inodes=64, uid=65534, gid=65534)


class Volumes:
    """Volumes and the helpers that create them, for parallel jobs; each name begins with ``prefix``.

    ``image`` returns the trusted helper's image id, ``label`` the labels of one resource, by job and
    kind; ``backends`` are those that may be chosen, the best first.
    """

    def __init__(
        self,
        engine: Engine,
        image: Callable[[], str],
        prefix: str,
        label: Callable[[str, str], dict[str, str]],
        backends: tuple[str, ...] = BACKENDS,
    ) -> None:
        self._engine, self._image, self._prefix, self._label = engine, image, prefix, label
        self._backends = backends
        self._makers: dict[str, tuple[Helper, str]] = {}
        self._pools: list[str] = []
        # By seccomp profile, which decides whether a job can leave an XFS project.
        self._chosen: dict[str, str] = {}
        self._why_not: dict[str, str] = {}
        self._lock = threading.RLock()

    @contextmanager
    def lent(self, job: str, limits: Limits, quota: Quota) -> Iterator[tuple[str, Helper, str]]:
        """A mounted, empty volume as (name, its keeper, the backend's name); removed afterwards.

        Raises :class:`ControlUnavailable` if no backend enforces such a quota, :class:`DiskFull`.
        """
        backend = self._choose(limits)
        name = f"{self._prefix}-{job}"
        body = helper_body(  # it may read everything in the volume, and change nothing
            self._image(),
            self._label(job, "keeper"),
            CapAdd=["DAC_READ_SEARCH"],
            SecurityOpt=["no-new-privileges:true", f"seccomp={shipped_profile().text}"],
            Mounts=[volume_mount(name, "/volume") | {"ReadOnly": True}],
        )
        with self._mounted(job, backend, quota, body, "keeper.py") as keeper:
            yield name, keeper, backend

    def probe(self, backend: str, seccomp: str = DEFAULT) -> None:
        """Write past the quota of a small volume, as a job under ``seccomp`` could.

        Raises :class:`SandboxFailed` if it was not enforced; :class:`ControlUnavailable`,
        :class:`EngineFailed` if it cannot be set, or a job could remove it.
        """
        # runc relies most on the kernel: what is enforced under it is under others.
        calls = under(profile_of(seccomp), "runc").text
        body = helper_body(
            self._image(),
            self._label("probe", "probe"),
            Mounts=[volume_mount(f"{self._prefix}-probe", "/volume")],
            SecurityOpt=["no-new-privileges:true", f"seccomp={calls}"],
        )
        body["User"] = f"{_PROBE.uid}:{_PROBE.gid}"
        with self._mounted("probe", backend, _PROBE, body, "probe.py") as prober:
            answer = prober.ask({"op": "probe", "bytes": _PROBE.bytes, "inodes": _PROBE.inodes})
        if answer["left"]:
            raise ControlUnavailable(
                "an XFS project quota would not bind a job here",
                where="seccomp",
                why="the job could remove its own files from their project (FS_IOC_FSSETXATTR)",
                todo="leave the policy's seccomp at `default`, which refuses that call",
            )
        wrote, made = answer["wrote"], answer["made"]
        if wrote is None or wrote > _PROBE.bytes or made is None or made > 2 * _PROBE.inodes:
            raise SandboxFailed(
                "a disk quota was set and did not hold",
                where="the storage backend",
                why=f"{backend}: {wrote} bytes and {made} files went into {_PROBE}",
                todo="do not use it; `aisci doctor` shows which backends work here",
            )

    def close(self) -> None:
        """Remove the makers and their pools, as far as the engine allows it."""
        with self._lock:
            for maker, _ in self._makers.values():
                with suppress(AisciError):  # the sentinel does it otherwise
                    maker.remove()
            for pool in self._pools:
                with suppress(AisciError):
                    remove_volume(self._engine, pool)
            self._makers.clear()
            self._pools.clear()

    def _choose(self, limits: Limits) -> str:
        """The first backend whose quota was tested to hold under the job's seccomp profile."""
        with self._lock:
            if limits.seccomp not in self._chosen:
                self._chosen[limits.seccomp] = self._best(limits.seccomp)
            backend = self._chosen[limits.seccomp]
        if backend == "tmpfs":
            why = "; ".join(f"{name}: {reason}" for name, reason in self._why_not.items())
            check_fits(limits.workspace, limits.tmp, limits.shm, limits.memory, why)
        return backend

    def _best(self, seccomp: str) -> str:
        *better, last = self._backends
        for backend in better:
            try:
                self.probe(backend, seccomp)
            except (ControlUnavailable, EngineFailed) as error:
                self._why_not[backend] = f"{error.what} {error.why}".strip()
            else:
                return backend
        self.probe(last, seccomp)
        return last

    @contextmanager
    def _mounted(
        self, job: str, backend: str, quota: Quota, body: dict[str, Any], script: str
    ) -> Iterator[Helper]:
        """A volume with its first container started; both are removed afterwards."""
        name = f"{self._prefix}-{job}"
        with ExitStack() as undo:
            with ExitStack() as until_mounted:
                source = ""
                if backend == "xfs":
                    maker, folder = self._maker(backend)
                    undo.enter_context(project_folder(maker, job, quota))
                    source = f"{folder}/{job}"
                elif backend == "loop":
                    # Released after the mount, which keeps the device; it then clears itself.
                    device = loop_device(self._maker(backend)[0], quota)
                    source = until_mounted.enter_context(device)
                options = volume_options(backend, quota, source)
                remove_volume(self._engine, name)  # an engine would reuse an old one silently
                undo.callback(remove_volume, self._engine, name)
                make_volume(self._engine, name, self._label(job, "volume"), options)
                helper = Helper(self._engine, body, script=script, name=f"{name}-keeper")
                undo.callback(helper.remove)
                helper.start()  # mounts it; from now on the mount keeps the device alive
            yield helper

    def _maker(self, backend: str) -> tuple[Helper, str]:
        """The backend's maker, started at first use, and its pool's folder (xfs only)."""
        with self._lock:
            if backend not in self._makers:
                name = f"{self._prefix}-maker-{backend}"
                pool = f"{name}-pool"
                make_volume(self._engine, pool, self._label("", "pool"))
                self._pools.append(pool)
                host: dict[str, Any] = {"Mounts": [volume_mount(pool, "/pool")]}
                folder = ""
                if backend == "xfs":  # it sets quotas, owns the pool's folders, and empties them
                    host["CapAdd"] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "MKNOD", "SYS_ADMIN"]
                    folder = pool_folder(self._engine, pool)
                else:  # it may create loop devices, and nothing else
                    host["CapAdd"] = ["MKNOD", "SYS_ADMIN"]
                    host["DeviceCgroupRules"] = ["b 7:* rwm", "c 10:237 rwm"]
                body = helper_body(self._image(), self._label("", "maker"), **host)
                script = "projects.py" if backend == "xfs" else "maker.py"
                maker = Helper(self._engine, body, script=script, name=name)
                self._makers[backend] = (maker, folder)
                maker.start()
            return self._makers[backend]
