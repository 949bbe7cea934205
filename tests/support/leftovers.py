"""What a run can leave on a machine, each kind looked for where the kernel or the engine lists it.

Other programs use the machine meanwhile, so each look is for what carries the run's name, or for
what no engine answers for any more; and what has just ended may take a moment to be gone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from orchestrator.sandbox.engine.client import Engine
from tests.support.sandbox_rig import nameless_loops, resources

CGROUPS = Path("/sys/fs/cgroup")
PATIENCE = 150.0  # seconds: a sentinel gives an engine that is gone two minutes to come back
_ID = re.compile(r"[0-9a-f]{64}")


def settled(look: Callable[[], Sequence[str]], within: float = PATIENCE) -> tuple[str, ...]:
    """What ``look`` still finds after ``within`` seconds, or nothing."""
    until = time.monotonic() + within
    while (found := look()) and time.monotonic() < until:
        time.sleep(0.2)
    return tuple(found)


def processes_with(word: str) -> tuple[int, ...]:
    """Processes whose command line holds ``word``."""
    wanted, found = word.encode(), []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:  # it has just ended
            continue
        found += [int(path.parent.name)] if wanted in text else []
    return tuple(found)


def mounts_below(folder: Path) -> tuple[str, ...]:
    """Mount points of this machine in ``folder``; what is mounted must never be emptied."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return tuple(one for one in points if one == str(folder) or one.startswith(f"{folder}/"))


def sockets_below(folder: Path) -> tuple[str, ...]:
    """Unix sockets with a name in ``folder`` that some process holds, unlinked ones too."""
    rows = Path("/proc/net/unix").read_text().splitlines()[1:]
    paths = [row.split()[7] for row in rows if len(row.split()) > 7]
    return tuple(path for path in paths if path.startswith(f"{folder}/"))


def files_below(*folders: Path) -> tuple[str, ...]:
    """All names in ``folders``."""
    return tuple(str(path) for folder in folders for path in folder.rglob("*"))


def left_of_run(engine: Engine, run_id: str, prefix: str, temporary: Path) -> tuple[str, ...]:
    """What a run of that id still has: by its label, by its name, in its temporary folder.

    ``prefix`` is how it named what it made; "" where it did not come so far.
    """
    found = [*resources(engine, run_id), *files_below(temporary), *sockets_below(temporary)]
    found += [f"process {pid}" for pid in processes_with(run_id)]
    if prefix:
        names = [item["Names"][0].lstrip("/") for item in engine.api.containers(all=True)]
        names += [item["Name"] for item in engine.api.volumes()["Volumes"] or []]
        found += [name for name in names if name.startswith(prefix)]
    return tuple(found)


def dead_sockets() -> tuple[str, ...]:
    """Names that runtimes have left of their sockets: no process holds them any more."""
    held = Path("/proc/net/unix").read_text()
    named = Path("/run/containerd/s").glob("*")
    return tuple(str(path) for path in named if path.name not in held)


def nobodys(engine: Engine, cgroup: str, runtime_of: Callable[[str], bool]) -> tuple[str, ...]:
    """Cgroup folders and runtimes of containers that the engine does not know (any more).

    ``cgroup`` is the parent below which the engine puts its containers, ``runtime_of`` tells by
    the command line whether a container's runtime is this engine's.
    """
    found = [*_container_cgroups(cgroup), *_shims(runtime_of)]
    known = {item["Id"] for item in engine.api.containers(all=True)}
    return tuple(f"{what} of {container}" for container, what in found if container not in known)


def _container_cgroups(parent: str) -> Iterable[tuple[str, str]]:
    for pattern in (
        f"*/{parent}/*",
        f"{parent}/*",
        "system.slice/docker-*",
    ):  # version 1, 2, systemd
        for path in CGROUPS.glob(pattern):
            container = _ID.search(path.name)
            if container:
                yield container[0], str(path)


def _shims(runtime_of: Callable[[str], bool]) -> Iterable[tuple[str, str]]:
    for pid in processes_with("containerd-shim"):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "-id" in words and "moby" in words and runtime_of(" ".join(words)):
            yield words[words.index("-id") + 1], f"process {pid}"


def loops_settled(before: Iterable[str]) -> tuple[str, ...]:
    """Of the nameless loop devices that there are now, those which stay."""
    left = set(nameless_loops()) - set(before)

    def look() -> tuple[str, ...]:
        left.intersection_update(nameless_loops())
        return tuple(sorted(left))

    return settled(look)
