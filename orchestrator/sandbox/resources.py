"""What the jobs of one run share: engine, images, admission, GPUs, the sentinel, the volumes."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.outlook import Outlook
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.ahead import Ahead
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.engine.labels import DEADLINE, JOB, KIND, OWNER, RUN, Owner
from orchestrator.sandbox.engine.reaper import reap
from orchestrator.sandbox.engine.sentinel import Sentinel, prefix_of
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.job.monitor import Monitor
from orchestrator.sandbox.network.dial import Dialer
from orchestrator.sandbox.storage.quota import BACKENDS
from orchestrator.sandbox.storage.volumes import Volumes

OnEvent = Callable[[str, Mapping[str, object]], None]

STORAGE_IMAGE = "aisci-storage"
"""The image of the trusted helper that makes and reads volumes."""


@dataclass(slots=True)
class RunResources:
    """One run's resources on the engine. ``image`` returns the trusted helper's image id.

    Thread-safe: parallel ideas share it.
    """

    engine: Engine
    run_id: str
    image: Callable[[], str]
    owner: Owner = field(default_factory=Owner.me)
    backends: tuple[str, ...] = BACKENDS
    _sentinel: Sentinel | None = None
    _volumes: Volumes | None = None
    _sockets: Path | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def prefix(self) -> str:
        """The prefix of container and volume names; no two runs, or processes of one run, share it."""
        return prefix_of(self.run_id, str(self.owner))

    @property
    def sentinel(self) -> Sentinel:
        """The sentinel of this run, started at first use."""
        with self._lock:
            if self._sentinel is None:
                self._sentinel = Sentinel(engine_socket(self.engine), self.run_id, str(self.owner))
            self._sentinel.ensure()
            return self._sentinel

    def labels(self, job: str, kind: str, *, seconds: float = 0.0) -> dict[str, str]:
        """Labels of one resource that may exist for ``seconds`` (0: as long as the run)."""
        deadline = time.time() + seconds if seconds else 0.0
        owned = {RUN: self.run_id, JOB: job, KIND: kind, OWNER: str(self.owner)}
        return owned | {DEADLINE: str(int(deadline))}

    @property
    def volumes(self) -> Volumes:
        """The run's quota'd volumes; leftovers of an earlier, dead process of the run are removed."""
        with self._lock:
            self.sentinel.ensure()
            if self._volumes is None:
                reap(self.engine, self.run_id)
                self._volumes = Volumes(
                    self.engine, self.image, self.prefix, self.labels, self.backends
                )
            return self._volumes

    def socket_path(self) -> Path:
        """A new path for a socket of the host that one container will see.

        The folder is in the system's temporary one, because a socket's path must be short. No other
        user may enter it: the kernel shows the names of sockets to everyone. It is removed with the
        run, by the sentinel if this process cannot.
        """
        with self._lock:
            if self._sockets is None:
                self._sockets = Path(tempfile.mkdtemp(prefix="aisci-"))
                self.sentinel.guard(self._sockets)
            return self._sockets / secrets.token_hex(16)

    def close(self) -> None:
        """Remove what the run shares, then let the sentinel clear up once more and end."""
        with self._lock:
            if self._volumes is not None:
                self._volumes.close()
            if self._sockets is not None:
                # The sentinel removes it otherwise.
                shutil.rmtree(self._sockets, ignore_errors=True)
            if self._sentinel is not None:
                self._sentinel.close()
            self._volumes = self._sockets = self._sentinel = None


class SandboxPool(AbstractContextManager["SandboxPool", None]):
    """One run's sandboxes on one engine. Use it in ``with``, or close it.

    ``images`` turns an image's name into the id of a built, checked image. ``policy`` is the hash
    of the effective policy, for attestations. ``admission`` holds the run's own limits; without
    it only each job's limits apply. ``folders`` turns the hash of a data set into its folder on
    this host. ``on_event`` gets the events of every sandbox that has no listener of its own. ``outlook``
    orders the jobs that wait for GPUs; whoever makes ``admission`` gives it the same one. With
    ``ahead``, containers are made before their jobs, and removed behind them.
    """

    def __init__(
        self,
        engine: Engine,
        run_id: str,
        images: Callable[[str], str],
        *,
        policy: str = "",
        on_event: OnEvent | None = None,
        gpus: GpuPool | None = None,
        admission: Admission | None = None,
        dialer: Dialer | None = None,
        folders: Callable[[str], str] = str,
        resources: RunResources | None = None,
        outlook: Outlook | None = None,
        ahead: Ahead[Any] | None = None,
    ) -> None:
        self.ahead = ahead
        self.engine, self.images, self.policy, self.folders = engine, images, policy, folders
        self.on_event: OnEvent = on_event or (lambda _what, _facts: None)
        self.outlook = outlook or Outlook()
        self.gpus = gpus or GpuPool(work_left=self.outlook.work_left)
        self.admission = admission or Admission()
        self.dialer = dialer or Dialer()
        self.resources = resources or RunResources(engine, run_id, lambda: images(STORAGE_IMAGE))
        self.running: set[Monitor] = set()
        self.stopped = threading.Event()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what the run's jobs shared, and what was made ahead."""
        try:
            if self.ahead is not None:
                self.ahead.close()
        finally:
            self.resources.close()

    def stop(self) -> None:
        """End all running jobs now, from any thread; each raises :class:`Interrupted`."""
        self.stopped.set()
        for monitor in tuple(self.running):
            monitor.interrupt()


def engine_socket(engine: Engine) -> str:
    """The path of the engine's unix socket. Raises :class:`ControlUnavailable` if it has none."""
    adapter = getattr(engine.api, "_custom_adapter", None)
    path: str | None = getattr(adapter, "socket_path", None)
    if path is None:
        raise ControlUnavailable(
            "the engine is not reached through a unix socket",
            where="DOCKER_HOST",
            why="the host monitors and removes its containers on the same machine",
            todo="run aisci where the engine runs, with DOCKER_HOST=unix:///…",
        )
    return path
