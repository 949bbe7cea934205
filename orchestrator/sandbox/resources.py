"""What the jobs of one run share: the sentinel, the maker of volumes, the chosen backend."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.job import Limits
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.engine.labels import Owner, labels
from orchestrator.sandbox.engine.reaper import remove_leftovers
from orchestrator.sandbox.engine.sentinel import Sentinel, prefix_of
from orchestrator.sandbox.storage.helper import Helper
from orchestrator.sandbox.storage.quota import BACKENDS, Quota
from orchestrator.sandbox.storage.volumes import Volumes

STORAGE_IMAGE = "aisci-storage"
"""The image of the trusted helper that makes and reads volumes."""


@dataclass(slots=True)
class RunResources:
    """One run's stock on the engine. ``image`` is the trusted helper's image id.

    Thread-safe: ideas that run side by side share it.
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
        """How containers and volumes are named; two runs, or two lives of one, share no name."""
        return prefix_of(self.run_id, str(self.owner))

    @property
    def sentinel(self) -> Sentinel:
        """The guard of this run, started at the first need."""
        with self._lock:
            if self._sentinel is None:
                self._sentinel = Sentinel(engine_socket(self.engine), self.run_id, str(self.owner))
            self._sentinel.ensure()
            return self._sentinel

    def labels(self, job: str, kind: str, *, seconds: float = 0.0) -> dict[str, str]:
        """Labels of one resource that may stay ``seconds`` (0: as long as the run)."""
        deadline = time.time() + seconds if seconds else 0.0
        return labels(self.run_id, self.owner, job=job, kind=kind, deadline=deadline)

    @property
    def volumes(self) -> Volumes:
        """The run's quota'd volumes; what an earlier, dead life of the run left is gone by then."""
        with self._lock:
            if self._volumes is None:
                remove_leftovers(self.engine, self.run_id)
                self._volumes = Volumes(
                    self.engine, self.image, self.prefix, self._label, self.backends
                )
            return self._volumes

    def _label(self, job: str, kind: str) -> dict[str, str]:
        return self.labels(job, kind)

    @contextmanager
    def volume(self, job: str, limits: Limits, quota: Quota) -> Iterator[tuple[str, Helper, str]]:
        """A mounted, empty, quota'd volume as (name, its keeper, the backend's name).

        Raises:
            ControlUnavailable: no backend holds a hard quota of this size here.
            DiskFull: the engine's disk has no room for it.
        """
        self.sentinel.ensure()
        with self.volumes.lent(job, limits, quota) as lent:
            yield lent

    def probe(self, backend: str) -> None:
        """Write past the quota of a small volume on ``backend``; the doctor asks it of each.

        Raises:
            SandboxFailed: the quota was set and did not hold.
            ControlUnavailable, EngineFailed: it cannot be set, or a job could take it off.
        """
        self.sentinel.ensure()
        self.volumes.probe(backend)

    def socket_path(self) -> Path:
        """A new place for a socket of the host's that one container is to see.

        The folder is in the system's own temporary one, because a socket's path is short.
        Nobody else on this machine may enter it: how a socket is named the kernel tells everyone.
        It goes with the run, through the sentinel if this process cannot.
        """
        with self._lock:
            if self._sockets is None:
                self._sockets = Path(tempfile.mkdtemp(prefix="aisci-"))
                self.sentinel.guard(self._sockets)
            return self._sockets / secrets.token_hex(16)

    def close(self) -> None:
        """Remove what the run shares, then let the sentinel look once more and end."""
        with self._lock:
            if self._volumes is not None:
                self._volumes.close()
                self._volumes = None
            if self._sockets is not None:
                shutil.rmtree(self._sockets, ignore_errors=True)  # the sentinel looks once more
                self._sockets = None
            if self._sentinel is not None:
                self._sentinel.close()
                self._sentinel = None


def engine_socket(engine: Engine) -> str:
    """The path of the engine's unix socket.

    Raises:
        ControlUnavailable: the engine is reached another way, so it may be elsewhere.
    """
    adapter = getattr(engine.api, "_custom_adapter", None)
    path: str | None = getattr(adapter, "socket_path", None)
    if path is None:
        raise ControlUnavailable(
            "the engine is not reached through a unix socket",
            where="DOCKER_HOST",
            why="the host watches its containers and clears up after them on the same machine",
            todo="run aisci where the engine runs, with DOCKER_HOST=unix:///…",
        )
    return path
