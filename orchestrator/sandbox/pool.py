"""What the sandboxes of one run share: engine, images, admission, GPUs, volumes and the sentinel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.job.monitor import Monitor
from orchestrator.sandbox.network.dial import Dialer
from orchestrator.sandbox.resources import STORAGE_IMAGE, RunResources

OnEvent = Callable[[str, Mapping[str, object]], None]


class SandboxPool(AbstractContextManager["SandboxPool", None]):
    """One run's sandboxes on one engine. Use it in ``with``, or close it.

    ``images`` turns an image's name into the id of a built, checked image. ``policy`` is the hash
    of the effective policy, for attestations. ``admission`` holds the run's own limits; without
    it only each job's limits apply. ``folders`` turns the hash of a data set into its folder on
    this host. ``on_event`` gets the events of every sandbox that has no listener of its own.
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
    ) -> None:
        self.engine, self.images, self.policy, self.folders = engine, images, policy, folders
        self.on_event: OnEvent = on_event or (lambda _what, _facts: None)
        self.gpus = gpus or GpuPool()
        self.admission = admission or Admission()
        self.dialer = dialer or Dialer()
        self.resources = resources or RunResources(engine, run_id, lambda: images(STORAGE_IMAGE))
        self.running: set[Monitor] = set()
        self.stopped = threading.Event()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what the run's jobs shared."""
        self.resources.close()

    def stop(self) -> None:
        """End all running jobs now, from any thread; each raises :class:`Interrupted`."""
        self.stopped.set()
        for monitor in tuple(self.running):
            monitor.interrupt()
