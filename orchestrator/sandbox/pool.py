"""What the sandboxes of one run share: engine, images, admission, GPUs, volumes and the sentinel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Self

from orchestrator.sandbox.admission import Allowance
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.gpus.leases import Gpus
from orchestrator.sandbox.job.monitor import Watch
from orchestrator.sandbox.network.dial import World
from orchestrator.sandbox.resources import STORAGE, Depot

OnEvent = Callable[[str, Mapping[str, object]], None]


class SandboxPool:
    """One run's sandboxes over one engine. Use it in ``with``, or close it.

    ``images`` turns an image's name into the id of a built, checked image. ``policy`` is the hash
    of the effective policy, for attestations. ``admission`` holds the run's own limits; without
    it each job has only its own. ``folders`` turns the hash of a data set into the host's folder
    that holds it. ``on_event`` is what each sandbox reports to, unless it is given its own.
    """

    def __init__(
        self,
        engine: Engine,
        run_id: str,
        images: Callable[[str], str],
        *,
        policy: str = "",
        on_event: OnEvent | None = None,
        gpus: Gpus | None = None,
        admission: Allowance | None = None,
        world: World | None = None,
        folders: Callable[[str], str] = str,
        resources: Depot | None = None,
    ) -> None:
        self.engine, self.images, self.policy, self.folders = engine, images, policy, folders
        self.on_event: OnEvent = on_event or _ignore
        self.gpus = gpus or Gpus()
        self.admission = admission or Allowance()
        self.world = world or World()
        self.resources = resources or Depot(engine, run_id, lambda: images(STORAGE))
        self.running: set[Watch] = set()
        self.stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what the run's jobs shared."""
        self.resources.close()

    def stop(self) -> None:
        """From any thread: end all running jobs now; each raises :class:`Interrupted`."""
        self.stopped.set()
        for watch in tuple(self.running):
            watch.interrupt()


def _ignore(_what: str, _facts: Mapping[str, object]) -> None:
    pass
