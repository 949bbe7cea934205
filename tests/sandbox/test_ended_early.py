"""A job's container that somebody ends as soon as it is started: said so, and nothing is left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import EngineFailed
from orchestrator.sandbox.engine.client import APIError, Engine
from orchestrator.sandbox.engine.objects import (
    create_container,
    make_volume,
    remove_container,
    remove_volume,
)
from orchestrator.sandbox.job import gate_view
from orchestrator.sandbox.job.cgroup import process_status
from tests.contracts.sandbox import WRITES, job_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DockerBench]:
    with docker_bench(tmp_path, f"early-{tmp_path}") as bench:
        yield bench
        assert bench.left_behind() == ()


def ends(engine: Engine, container: str) -> None:
    engine.api.kill(container)
    engine.api.wait(container)


def removes(engine: Engine, container: str) -> None:
    engine.api.remove_container(container, force=True)


@pytest.mark.parametrize("how", [ends, removes])
def test_before_it_was_looked_at(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch, how: Callable[[Engine, str], None]
) -> None:
    job = job_of(bench, WRITES)
    start = bench.engine.api.start

    def started(container: str) -> None:
        start(container)
        labels = bench.engine.api.inspect_container(container)["Config"]["Labels"]
        if labels["aisci.kind"] == "experiment":
            how(bench.engine, container)

    monkeypatch.setattr(bench.engine.api, "start", started)
    with pytest.raises(EngineFailed) as caught:
        bench.sandbox.run(job)
    assert caught.value.transient
    assert "another machine" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may kill in a container")
def test_between_two_looks(bench: DockerBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(pid: int) -> tuple[tuple[str, str], ...]:
        seen = process_status(pid)
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/cgroup").exists():
            pass
        return seen

    monkeypatch.setattr(gate_view, "process_status", looked)
    with pytest.raises(EngineFailed, match="ended before its program started"):
        bench.sandbox.run(job_of(bench, WRITES))


def test_what_a_machine_cannot_give_is_still_said_of_a_container_that_runs(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(_pid: int) -> tuple[tuple[str, str], ...]:
        raise PermissionError(1, "no look at others")

    monkeypatch.setattr(gate_view, "process_status", blind)
    with pytest.raises(PermissionError):
        bench.sandbox.run(job_of(bench, WRITES))


def test_a_container_whose_creation_was_stopped_is_removed_although_the_engine_makes_it(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of the request: the engine goes on with it."""
    create: Callable[..., Any] = bench.engine.api.create_container_from_config
    made: list[Any] = []

    def late(body: Any, name: str) -> Any:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        made.append(create(body, name))
        return made[0]

    monkeypatch.setattr(bench.engine.api, "create_container_from_config", late)
    with pytest.raises(KeyboardInterrupt):
        create_container(bench.engine, {"Image": "aisci-storage"}, f"aisci-late-{os.getpid()}")
    assert made
    assert bench.engine.containers.list(all=True, filters={"name": "aisci-late-"}) == []


def test_a_container_that_ends_just_before_the_engine_kills_it_is_removed(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker before 25 then refuses its removal, with the words below (measured with 20.10)."""
    name = f"aisci-ended-{os.getpid()}"
    ended = create_container(bench.engine, {"Image": "aisci-storage", "Cmd": ["true"]}, name)
    remove = bench.engine.api.remove_container
    answers = [
        f"Could not kill running container {ended}, cannot remove - Container {ended} is not running"
    ]

    def refused_once(container: str, **how: Any) -> None:
        if answers:
            raise APIError("500 Server Error", explanation=answers.pop())
        remove(container, **how)

    monkeypatch.setattr(bench.engine.api, "remove_container", refused_once)
    remove_container(bench.engine, ended)
    assert answers == []
    assert bench.engine.containers.list(all=True, filters={"name": name}) == []


def test_a_volume_whose_container_is_still_being_removed_is_removed_after_it(
    bench: DockerBench,
) -> None:
    """An engine names a volume's user for a while after it said that the user was removed."""
    name = f"aisci-inuse-{os.getpid()}"
    make_volume(bench.engine, name, {})
    body = {"Image": "aisci-storage", "HostConfig": {"Binds": [f"{name}:/v"]}}
    user = create_container(bench.engine, body, name)
    later = threading.Timer(1.2, bench.engine.api.remove_container, [user])
    later.start()
    try:
        remove_volume(bench.engine, name)
    finally:
        later.join()
    assert bench.engine.volumes.list(filters={"name": name}) == []
