"""A killed engine may lose a container that runs on: what it no longer lists is found and ended."""

from __future__ import annotations

import os
import shutil
from contextlib import closing

import pytest

from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.engine.labels import Owner
from orchestrator.sandbox.engine.objects import create_container, make_volume
from orchestrator.sandbox.engine.reaper import reap
from orchestrator.sandbox.engine.sentinel import Sentinel
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.resources import RunResources, engine_socket
from orchestrator.sandbox.storage.helper import helper_body, volume_mount
from tests.support.leftovers import nobodys, settled
from tests.support.private_engine import PrivateEngine, private_engine

pytestmark = [
    pytest.mark.engine,
    pytest.mark.serial,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may start an engine"),
]

DEAD = Owner(Owner.me().boot, 2**22 - 1, 1)


def waiting(own: PrivateEngine, run_id: str) -> str:
    """A trusted container of a dead process's run, which waits for its input; its id."""
    depot = RunResources(own.client, run_id, str, owner=DEAD)
    volume = f"{depot.prefix}-pool"
    make_volume(own.client, volume, depot.labels("", "pool"))
    mounts = [volume_mount(volume, "/pool")]
    body = helper_body(
        resolve_image(own.client, "aisci-storage"), depot.labels("", "maker"), Mounts=mounts
    )
    body |= {"Entrypoint": ["python3", "-c", "input()"], "OpenStdin": True}
    made = create_container(own.client, body, f"{depot.prefix}-maker")
    own.client.api.start(made)
    return made


def lost(own: PrivateEngine, *containers: str) -> None:
    """As after a kill in the middle of a start: the engine is back, and knows nothing of them."""
    own.kill()
    for container in containers:
        shutil.rmtree(own.folder / "data" / "containers" / container)
    own.start()


def test_a_container_that_a_killed_engine_lost_is_ended_by_its_sentinel_or_by_reap() -> None:
    with private_engine() as own, closing(connect()) as machine:
        first, second = waiting(own, "lost-first"), waiting(own, "lost-second")
        lost(own, first, second)
        left = nobodys(own.client, own.cgroup, own.runs)
        assert {one.split()[-1] for one in left} == {first, second}
        assert own.client.api.containers(all=True) == []

        Sentinel(engine_socket(own.client), "lost-first", str(DEAD)).close()
        left = settled(lambda: [one for one in seen(own) if one.endswith(first)], 10)
        assert left == ()
        assert {one.split()[-1] for one in seen(own)} == {second}, "another run's is not its own"

        assert not {first, second} & {item.name for item in reap(machine, dry_run=True)}
        would = reap(own.client, dry_run=True)
        assert [(item.what, item.name) for item in would if item.what != "volume"] == [
            ("runtime", second)
        ]
        assert reap(own.client) == would
        assert settled(lambda: seen(own), 10) == ()
        assert not own.client.api.volumes()["Volumes"]


def seen(own: PrivateEngine) -> tuple[str, ...]:
    return nobodys(own.client, own.cgroup, own.runs)
