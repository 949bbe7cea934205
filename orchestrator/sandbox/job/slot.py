"""A container and its volume, from nothing to the gate, where it waits for a job, and back.

Nothing of a job is needed to make one but its *shape*. So one can be made before its job is known.
It runs nothing but the gate of ``spec.py`` until the job's files are in it, its settings and its
rights are read, and its limits are being enforced; but where the template allows it, the image's own
packages are imported once its settings and rights are read. They are read again for the job.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import ContainerKind, Job, Limits
from orchestrator.core.tree import Tree
from orchestrator.record.attestation import SettingPairs
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.labels import DEADLINE
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.engine.stream import Stream
from orchestrator.sandbox.gpus.cdi import cdi_devices
from orchestrator.sandbox.job.packing import put_files
from orchestrator.sandbox.job.spec import BEGINS_IMPORTS, create_request, preloads, user_of
from orchestrator.sandbox.job.verify import ReadBack, read_back
from orchestrator.sandbox.resources import RunResources
from orchestrator.sandbox.storage.quota import Quota

# Seconds past a job's longest end after which the sentinel takes this process for hung.
_SLACK = 60.0
# Seconds that an editor's wall clock may stand still, as the sentinel assumes: four model calls.
_THINKING = 3 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What must be known of a job before its container can be made; ``image`` is an id.

    ``data`` are (name, folder of this host). ``duplex``: its caller writes its stdin, reads its stdout.
    """

    kind: ContainerKind
    limits: Limits
    image: str
    duplex: bool
    env: tuple[tuple[str, str], ...] = ()
    data: tuple[tuple[str, str], ...] = ()
    preload: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: Job, *, image: str, data: tuple[tuple[str, str], ...], duplex: bool) -> Shape:
        return cls(
            kind=job.kind, limits=job.limits, image=image, duplex=duplex, env=job.env, data=data,
            preload=job.preload,
        )  # fmt: skip

    def longest(self, within: Deadline = FOREVER) -> float:
        """Seconds that a container may exist once its job is known, until the sentinel ends it."""
        wall = self.limits.wall + (_THINKING if self.kind == "editor" else 0)
        return min(wall, within.left) + self.limits.grace + _SLACK


class Slot:
    """One shape's volume with its keeper, and, once :meth:`hold` made it, the container.

    Owned by one thread at a time. ``seconds`` is how long it may exist at most.
    """

    def __init__(
        self, engine: Engine, resources: RunResources, shape: Shape, name: str, *, seconds: float
    ) -> None:
        self._engine, self._resources, self._name = engine, resources, name
        self._undo = ExitStack()
        self.shape = shape
        self.labels = resources.labels(name, shape.kind, seconds=seconds)
        self.container = ""
        self.status: SettingPairs | None = None
        self._imports = False
        self.body: dict[str, Any] = {}
        self.stream: Stream
        uid, gid = user_of(shape.limits)
        limits = shape.limits
        quota = Quota(bytes=limits.workspace, inodes=limits.inodes, uid=uid, gid=gid)
        mounted = resources.volumes.lent(name, limits, quota)
        self.volume, self.keeper, self.backend = self._undo.enter_context(mounted)

    @property
    def deadline(self) -> float:
        """Its label's: after it, in seconds since the epoch, the sentinel may kill it."""
        return float(self.labels[DEADLINE])

    def hold(self, info: dict[str, Any], gpus: tuple[str, ...] = (), egress: str = "") -> None:
        """Create the container, compare its settings with those asked for, and start it: it waits.

        ``info`` is the engine's own description. Raises as :func:`read_back`.
        """
        self.body = create_request(
            self.shape, image=self.shape.image, volume=self.volume, labels=self.labels,
            duplex=self.shape.duplex, gpus=gpus, cdi=cdi_devices(info) if gpus else (), egress=egress,
        )  # fmt: skip
        name = f"{self._resources.prefix}-{self._name}-job"
        self._undo.callback(remove_container, self._engine, name)
        self.container = create_container(self._engine, self.body, name)
        read_back(self._engine, self.container, self.body)
        self.stream = Stream(self._engine, self.container)
        self._undo.callback(self.stream.close)
        with translated("starting a job's container"):
            self._engine.api.start(self.container)

    def begin_imports(self) -> None:
        """Let a container that may be preloaded import its packages; of another one, nothing."""
        if preloads(self.shape, duplex=self.shape.duplex) and not self._imports:
            self._imports = True
            self.stream.send(BEGINS_IMPORTS)

    def fill(self, files: Tree, blobs: BlobStore) -> None:
        """Copy a job's files in. Nothing that runs in the container interferes with the unpacking."""
        with self._paused():
            put_files(self._engine, self.container, files, blobs, user_of(self.shape.limits))

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """While files come in, no package that is imported runs: engines have followed its links."""
        if not self._imports:
            yield
            return
        with translated("pausing a container that waits"):
            self._engine.api.pause(self.container)
        try:
            yield
        finally:
            with translated("going on with a container that waited"):
                self._engine.api.unpause(self.container)

    def read_back(self) -> ReadBack:
        """What the engine says of it now. Raises :class:`SandboxFailed` if that is not what was asked."""
        return read_back(self._engine, self.container, self.body)

    def waits(self, seconds: float) -> bool:
        """Whether its container still waits at the gate, and may exist for ``seconds`` from now."""
        if self.deadline - time.time() < seconds:
            return False
        if not self.container:
            return True
        with translated("asking for a container that was made ahead"):
            found = self._engine.api.containers(filters={"id": self.container})
        return bool(found)

    def close(self) -> None:
        """Remove the container, the keeper and the volume."""
        self._undo.close()
