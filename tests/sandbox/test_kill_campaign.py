"""Random kills of orchestrator, container and engine, in all stages of a one-second job.

Each job is an orchestrator's of its own, as a process. What is killed, when in that process's
life and how is drawn from a generator that the commit seeds. Whatever it was, the orchestrator
ends with a result or an error of ours, and nothing is left once the sentinel, or after an engine's
death ``aisci reap``, has done its work. The engine that is killed is one of the test's own.
"""

from __future__ import annotations

import os
import queue
import random
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from orchestrator.core import errors
from orchestrator.core.errors import AisciError
from orchestrator.sandbox.engine.client import APIError, Engine, connect
from orchestrator.sandbox.engine.reaper import reap
from tests.support.bench import record
from tests.support.kill_rig import HOST, Orchestrator, lifetime
from tests.support.leftovers import (
    dead_sockets,
    left_of_run,
    loops_settled,
    mounts_below,
    nobodys,
    settled,
)
from tests.support.private_engine import PrivateEngine, private_engine
from tests.support.sandbox_rig import nameless_loops

pytestmark = [
    pytest.mark.engine,
    pytest.mark.serial,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may start an engine and kill in it"),
]

What = Literal["orchestrator", "container", "engine"]

SAMPLE: dict[What, int] = {"orchestrator": 2, "container": 3, "engine": 1}
CAMPAIGN: dict[What, int] = {"orchestrator": 80, "container": 60, "engine": 60}
AT_ONCE = 3  # orchestrators side by side
ENGINES = 2  # of our own
HOW = ("its first process", "docker kill", "docker rm -f")


@dataclass(slots=True)
class Kill:
    """One kill: ``when`` as a part of the orchestrator's life, and what came of it."""

    number: int
    what: What
    when: float
    how: str = ""
    allow: bool = False  # the job has an allow-list, so the orchestrator a socket
    hit: str = ""  # which container
    ending: str = ""  # of the orchestrator
    reaped: int = 0  # what the sentinel had not removed
    left: tuple[str, ...] = ()
    seconds: float = 0.0  # from the orchestrator's end until nothing was left


def drawn(rng: random.Random, counts: Mapping[What, int]) -> list[Kill]:
    """That many kills of each kind, in a random order."""
    whats = [what for what, count in counts.items() for _ in range(count)]
    rng.shuffle(whats)
    return [
        Kill(
            number,
            what,
            rng.random(),
            how=rng.choice(HOW) if what == "container" else "SIGKILL",
            allow=what == "orchestrator" and rng.random() < 0.4,
        )
        for number, what in enumerate(whats)
    ]


@dataclass(slots=True)
class Place:
    """Where jobs run: the machine's engine, or one of the test's own that may be killed."""

    client: Engine
    cgroup: str
    runs: Callable[[str], bool]
    life: tuple[float, float]  # an orchestrator's, in all and from where it begins
    own: PrivateEngine | None = None
    before: set[str] = field(default_factory=set)  # what others had left already

    @property
    def environ(self) -> dict[str, str]:
        return self.own.environ if self.own else {}


@contextmanager
def machines_engine(base: Path) -> Iterator[Place]:
    with closing(connect()) as client:
        place = Place(client, "docker", lambda words: "/dockerd-" not in words, lifetime(base))
        place.before = set(nobodys(client, place.cgroup, place.runs))
        yield place


@contextmanager
def own_engine(base: Path) -> Iterator[Place]:
    with private_engine() as own:
        yield Place(own.client, own.cgroup, own.runs, lifetime(base, own.environ), own)


def carry_out(kill: Kill, place: Place, base: Path, rng: random.Random) -> None:
    """One orchestrator, one kill, and the look at what is left.

    A kill that comes too late, because a machine's pace varies, is tried again earlier.
    """
    loops = nameless_loops()
    for attempt in range(6):
        folder = base / f"{kill.number:03}{'abcdef'[attempt]}"
        one = Orchestrator(folder, f"{folder.parent.name}-{folder.name}", place.environ)
        one.allow = HOST if kill.allow else ""
        one.start()
        killed = strike(kill, one, place, rng)
        kill.ending = how_it_ended(one, kill.what)
        began = time.monotonic()
        kill.left = left_behind(kill, one, place) + loops_settled(loops)
        kill.seconds = time.monotonic() - began
        if killed or kill.left:
            return
        kill.when *= 0.7
    raise AssertionError(f"{kill} always came too late")


def strike(kill: Kill, one: Orchestrator, place: Place, rng: random.Random) -> bool:
    """Wait for the moment, then kill; whether there was anything to be killed yet."""
    whole, begun = place.life
    if kill.what == "orchestrator":
        time.sleep(kill.when * whole)
        return one.kill()
    one.begun()
    time.sleep(kill.when * begun)
    if kill.what == "container":
        return strike_container(kill, one, place.client, rng)
    assert place.own is not None
    ran = one.runs
    place.own.kill()
    time.sleep(rng.random())
    place.own.start()
    return ran


def strike_container(kill: Kill, one: Orchestrator, client: Engine, rng: random.Random) -> bool:
    """Kill one of the run's containers: the job's, its keeper, a maker or a probe."""
    filters = {"label": [f"aisci.run={one.run_id}"]}
    while one.runs:
        found = client.api.containers(all=True, filters=filters)
        if found:
            target = rng.choice(found)
            kill.hit = target["Labels"]["aisci.kind"]
            if struck(kill.how, target["Id"], client):
                return True
        time.sleep(0.02)
    return False


def struck(how: str, container: str, client: Engine) -> bool:
    """Whether it was there to be killed."""
    try:
        if how == "docker rm -f":
            client.api.remove_container(container, force=True)
        elif how == "docker kill":
            client.api.kill(container)
        else:
            pid = client.api.inspect_container(container)["State"]["Pid"]
            if not pid:
                return False
            os.kill(pid, signal.SIGKILL)
    except (APIError, ProcessLookupError):  # not started yet, or ended by itself just now
        return False
    return True


def how_it_ended(one: Orchestrator, what: What) -> str:
    """A verdict, or the name of one of our errors; a killed one says nothing."""
    said = one.end()
    if not said and what == "orchestrator":
        return "killed"
    found = re.match(r"ended ([a-z ]+)\n\Z|error (\w+): \S", said)
    assert found, said
    if found[2]:
        assert issubclass(getattr(errors, found[2]), AisciError)
    return found[1] or found[2]


def left_behind(kill: Kill, one: Orchestrator, place: Place) -> tuple[str, ...]:
    """What is left of its run when the sentinel has ended, and after an engine's death a reap."""

    def look() -> tuple[str, ...]:
        mounts = mounts_below(place.own.folder / "data" / "volumes") if place.own else ()
        unknown = set(nobodys(place.client, place.cgroup, place.runs)) - place.before
        ours = left_of_run(place.client, one.run_id, one.prefix, one.temporary)
        return (*ours, *mounts, *sorted(unknown))

    left = settled(look, 60.0 if kill.what == "engine" else 150.0)
    if left and kill.what == "engine":
        kill.reaped = len(reap(place.client))
        left = settled(look, 30.0)
    return left


def all_carried_out(kills: Sequence[Kill], base: Path, rng: random.Random) -> None:
    """Several at once; each engine of our own has one orchestrator at a time."""
    seeds = {kill.number: rng.random() for kill in kills}
    sockets = set(dead_sockets())
    with ExitStack() as undo:
        main = undo.enter_context(machines_engine(base / "life"))
        own: queue.SimpleQueue[Place] = queue.SimpleQueue()
        for number in range(min(ENGINES, sum(kill.what == "engine" for kill in kills))):
            own.put(undo.enter_context(own_engine(base / f"life_{number}")))

        def one(kill: Kill) -> None:
            place = own.get() if kill.what == "engine" else main
            try:
                carry_out(kill, place, base, random.Random(seeds[kill.number]))
            finally:
                if place is not main:
                    own.put(place)

        pool = ThreadPoolExecutor(AT_ONCE)
        undo.callback(pool.shutdown, cancel_futures=True)  # before the engines: they are in use
        for future in [pool.submit(one, kill) for kill in kills]:
            future.result()
    assert [kill for kill in kills if kill.left] == []
    assert settled(lambda: sorted(set(dead_sockets()) - sockets), 20.0) == ()


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder of a short name: the path of a socket in it has to fit."""
    with tempfile.TemporaryDirectory(prefix="kills-", dir="/tmp") as folder:
        yield Path(folder)


def test_sampled_kills_of_orchestrator_container_and_engine_leave_nothing(
    base: Path, sample: random.Random
) -> None:
    all_carried_out(drawn(sample, SAMPLE), base, sample)


@pytest.mark.campaign
def test_two_hundred_random_kills_leave_nothing(base: Path, sample: random.Random) -> None:
    kills, began = drawn(sample, CAMPAIGN), time.monotonic()
    all_carried_out(kills, base, sample)
    record("random_kills", summary(kills) | {"minutes": round((time.monotonic() - began) / 60, 1)})


def summary(kills: Sequence[Kill]) -> dict[str, Any]:
    """Counts for the bench."""
    told: dict[str, Any] = {"kills": len(kills)}
    for what in CAMPAIGN:
        ones = [kill for kill in kills if kill.what == what]
        told[what] = {
            "kills": len(ones),
            "endings": dict(Counter(kill.ending for kill in ones).most_common()),
            "left_for_reap": sum(kill.reaped for kill in ones),
            "longest_until_nothing_was_left": round(max(kill.seconds for kill in ones), 1),
        }
    hits = Counter(f"{kill.hit}: {kill.how}" for kill in kills if kill.hit)
    told["containers_hit"] = dict(sorted(hits.items()))
    told["with_a_socket"] = sum(kill.allow for kill in kills)
    told["left_behind"] = sum(len(kill.left) for kill in kills)
    return told
