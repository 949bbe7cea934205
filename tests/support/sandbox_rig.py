"""A bench with a real engine, for the sandbox's tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import Job, JobResult
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.resources import RunResources, SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.storage.quota import BACKENDS
from tests.contracts.sandbox import Scenario


class DockerBench:
    """A sandbox on the real engine; jobs run Debian's Python in the trusted helper's image."""

    def __init__(
        self, engine: Engine, folder: Path, run_id: str, backends: tuple[str, ...] = BACKENDS
    ) -> None:
        self.engine, self.run_id = engine, run_id
        self.blobs = BlobStore(folder / "blobs")
        self.depot = RunResources(
            engine, run_id, lambda: resolve_image(engine, "aisci-storage"), backends=backends
        )
        self.sandbox = self.with_images(lambda name: resolve_image(engine, name))

    def with_images(self, images: Callable[[str], str]) -> DockerSandbox:
        """A sandbox of this run whose jobs run in other images."""
        pool = SandboxPool(
            self.engine, self.run_id, images, policy="contract", resources=self.depot
        )
        return DockerSandbox(pool, self.blobs)

    def run(
        self,
        job: Job,
        scenario: Scenario,  # noqa: ARG002  # it is in main.py
        within: Deadline = FOREVER,
    ) -> JobResult:
        return self.sandbox.run(job, within)

    def left_behind(self) -> tuple[str, ...]:
        """Of jobs that have ended; the maker and its pool stay as long as the run."""
        return tuple(name for name in resources(self.engine, self.run_id) if "-maker" not in name)


@contextmanager
def opened_sandbox(
    engine: Engine, blobs: BlobStore, run_id: str, images: Callable[[str], str], **shared: Any
) -> Iterator[DockerSandbox]:
    """A sandbox with a pool of its own; ``shared`` are options of :class:`SandboxPool`."""
    with SandboxPool(engine, run_id, images, **shared) as pool:
        yield DockerSandbox(pool, blobs)


@contextmanager
def docker_bench(
    folder: Path, run_id: str, backends: tuple[str, ...] = BACKENDS
) -> Iterator[DockerBench]:
    """Set up and closed; the whole run must be gone from the engine afterwards."""
    engine = connect()
    try:
        bench = DockerBench(engine, folder, run_id, backends)
        with bench.sandbox.pool:
            yield bench
        assert resources(engine, run_id) == ()
    finally:
        engine.close()


def backend_here() -> str:
    """The storage backend that jobs get on this machine; the campaign's own machine says which."""
    return os.environ.get("AISCI_TEST_STORAGE", "loop")


def resources(engine: Engine, run_id: str) -> tuple[str, ...]:
    """Names of all containers and volumes that carry the run's label."""
    filters = {"label": [f"aisci.run={run_id}"]}
    containers = engine.api.containers(all=True, filters=filters)
    volumes = engine.api.volumes(filters=filters)["Volumes"] or []
    return tuple(
        sorted([c["Names"][0].lstrip("/") for c in containers] + [v["Name"] for v in volumes])
    )


def nameless_loops() -> tuple[str, ...]:
    """Loop devices whose image has no name any more: only a maker makes such."""
    listed = subprocess.run(["losetup", "-a"], capture_output=True, text=True, check=True).stdout
    return tuple(line for line in listed.splitlines() if "(deleted)" in line)
