"""A container and its volume, from nothing to the gate, where it waits for a job, and back.

Nothing of a job is needed to make one but its *shape*. So one can be made before its job is known.
It runs nothing but the gate of ``spec.py`` until the job's files are in it, its settings and its
rights are read, and its limits are being enforced; but the image's own packages, where a template allows
it, and an editor's worker are loaded once its settings and rights are read. They are read again for the job.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import ContainerKind, Job, Limits
from orchestrator.core.tree import Tree
from orchestrator.record.attestation import SettingPairs
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import APIError, Engine, translated
from orchestrator.sandbox.engine.labels import DEADLINE
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.engine.stream import Stream
from orchestrator.sandbox.gpus.cdi import cdi_devices
from orchestrator.sandbox.job.packing import put_files
from orchestrator.sandbox.job.spec import (
    BEGINS_IMPORTS,
    create_request,
    opens_gate,
    preloads,
    user_of,
)
from orchestrator.sandbox.job.verify import ReadBack, read_back
from orchestrator.sandbox.resources import RunResources
from orchestrator.sandbox.storage.quota import Quota

# Seconds past a job's longest end after which the sentinel takes this process for hung.
_SLACK = 60.0
# Of pausing a container, and seconds between them.
_TRIES, _PAUSE = 3, 0.1
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
        self._begun = self._paused = False
        self.loads_ahead = False  # the host has the memory for it
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

    @property
    def may_begin(self) -> bool:
        """Whether something of it may begin before its job is known, imports or a worker, and has not begun."""
        worker = self.shape.duplex and bool(self.shape.preload)
        some = worker or preloads(self.shape, duplex=self.shape.duplex)
        return some and bool(self.container) and not self._begun

    def begin(self) -> None:
        """Let a container import its packages, or its worker load, ahead of its job. Its rights are read."""
        if self.may_begin:
            self._begun = True
            self.stream.send(
                opens_gate(self.shape.preload) if self.shape.duplex else BEGINS_IMPORTS
            )

    def open_gate(self, job: Job) -> None:
        """Start the job's program, whose container is checked: at the latest now, all that must begin does."""
        if not self.shape.duplex:
            self.begin()
        elif self._begun and job.argv == self.shape.preload:
            return  # it runs, and waits for its caller
        self.stream.send(opens_gate(job.argv))

    def fill(self, files: Tree, blobs: BlobStore) -> None:
        """Copy a job's files in. Nothing that runs in the container interferes with the unpacking."""
        put_files(self._engine, self.container, files, blobs, user_of(self.shape.limits))
        if self._paused:
            with translated("going on with a container that waited"):
                self._engine.api.unpause(self.container)
            self._paused = False

    def read_back(self) -> ReadBack:
        """What the engine says of it now. Raises :class:`SandboxFailed` if that is not what was asked."""
        return read_back(self._engine, self.container, self.body)

    def ready(self, seconds: float) -> bool:
        """Whether its container waits, may exist for ``seconds`` from now, and can be given files: what was
        begun in it is paused until then, since engines have followed links that a container made meanwhile.
        """
        if self.deadline - time.time() < seconds:
            return False
        if not self.container:
            return True
        with translated("asking for a container that was made ahead"):
            found = self._engine.api.containers(filters={"id": self.container})
        return bool(found) and (not self._begun or self._pause())

    def _pause(self) -> bool:
        """Whether the engine has paused it; runc fails to freeze a process at some moments."""
        with translated("pausing a container that waits"):
            for _ in range(_TRIES):
                try:
                    self._engine.api.pause(self.container)
                except APIError:
                    time.sleep(_PAUSE)
                else:
                    self._paused = True
                    return True
        return False

    def close(self) -> None:
        """Remove the container, the keeper and the volume."""
        self._undo.close()
