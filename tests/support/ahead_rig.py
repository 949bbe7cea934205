"""A bench whose containers are made ahead of their jobs, on the real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import Job, JobResult
from orchestrator.sandbox.ahead import Ahead
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.job.slot import Slot
from orchestrator.sandbox.resources import SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.storage.quota import BACKENDS
from tests.contracts.sandbox import Scenario
from tests.support.sandbox_rig import DockerBench, resources


class AheadBench(DockerBench):
    """A sandbox whose containers are made ahead; each job here gets one that waits."""

    def __init__(self, engine: Engine, folder: Path, backends: tuple[str, ...] = BACKENDS) -> None:
        self.ahead = Ahead[Slot]()
        super().__init__(engine, folder, f"ahead-{folder}-{'-'.join(backends)}", backends)

    def with_images(self, images: Callable[[str], str]) -> DockerSandbox:
        self.pool = SandboxPool(
            self.engine, self.run_id, images, ahead=self.ahead, resources=self.depot
        )
        return DockerSandbox(self.pool, self.blobs)

    def run(
        self,
        job: Job,
        scenario: Scenario,  # noqa: ARG002  # it is in main.py
        within: Deadline = FOREVER,
    ) -> JobResult:
        if not self.ahead._made:
            self.sandbox.run(replace(job, argv=("true",), scope=f"{job.scope}/before"))
        self.ready()
        return self.sandbox.run(job, within)

    def ready(self) -> list[Slot]:
        """Wait until what is being made waits at its gate, and what is being removed is gone."""
        for removal in self.ahead._removals:
            removal.result()
        return [future.result() for future in self.ahead._made.values()]

    def left_behind(self) -> tuple[str, ...]:
        waiting = {
            f"{self.pool.resources.prefix}-{slot.labels['aisci.job']}" for slot in self.ready()
        }
        own = {name + more for name in waiting for more in ("", "-keeper", "-job")}
        found = resources(self.engine, self.run_id)
        return tuple(name for name in found if "-maker" not in name and name not in own)


@contextmanager
def ahead_bench(folder: Path) -> Iterator[AheadBench]:
    """Set up and closed; the whole run must be gone from the engine afterwards."""
    engine = connect()
    made = AheadBench(engine, folder)
    try:
        with made.pool:
            yield made
        assert resources(engine, made.run_id) == ()
    finally:
        engine.close()


def tell_calls(
    monkeypatch: pytest.MonkeyPatch, order: list[str], module: Any, name: str, word: str
) -> None:
    """Have ``module``'s function ``name`` add ``word`` to ``order`` at each call."""
    real: Callable[..., Any] = getattr(module, name)

    def spy(*args: Any, **named: Any) -> Any:
        order.append(word)
        return real(*args, **named)

    monkeypatch.setattr(module, name, spy)
