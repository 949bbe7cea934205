"""Removes what dead orchestrators left on the engine: found by label, judged by owner.

Loop devices and image files need no reaping: an image has no name from its first moment and
its device clears itself, so the kernel frees both when the last container is gone.

A program that an engine lost when it was killed has no labels any more: it is known by its volume,
and nobody's, for the engine that made it does not know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.labels import JOB, OWNER, RUN, Owner
from orchestrator.sandbox.engine.objects import remove_container, remove_volume
from orchestrator.sandbox.engine.sentinel import end_runtime, runtimes

_VOLUMES = "/volumes/aisci-"  # in the path of each volume of ours, whatever the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """One leftover: a ``container`` or ``volume``, whose run and job it was.

    Or a ``runtime``, what still runs of a container (its id) that the engine lost; whose is unknown.
    """

    what: str
    name: str
    run: str
    job: str


def reap(engine: Engine, run_id: str | None = None, *, dry_run: bool = False) -> tuple[Reaped, ...]:
    """Remove containers and volumes whose owner is dead; with ``dry_run`` only list them.

    Without ``run_id``, whatever the engine lost too.

    Raises:
        EngineFailed: the engine could not list or remove one of them.
    """
    found = leftovers(engine, run_id)
    if not dry_run:
        for item in found:
            _remove(engine, item)
    return found


def _remove(engine: Engine, item: Reaped) -> None:
    if item.what == "runtime":
        pid = runtimes(_VOLUMES).get(item.name)
        if pid is not None:
            end_runtime(item.name, pid)
    elif item.what == "container":
        remove_container(engine, item.name)
    else:
        remove_volume(engine, item.name)


def remove_leftovers(engine: Engine, run_id: str) -> None:
    """Before a run's first job: nothing of an earlier, dead life of it stands in the way."""
    reap(engine, run_id)


def leftovers(engine: Engine, run_id: str | None = None) -> tuple[Reaped, ...]:
    """What dead owners left: containers, then what the engine lost, then volumes, free by then."""
    label = RUN if run_id is None else f"{RUN}={run_id}"
    filters = {"label": [label]}
    with translated("listing what runs have left"):
        containers = engine.api.containers(all=True, filters=filters)
        volumes = engine.api.volumes(filters=filters)["Volumes"] or []
    found = [
        _reaped("container", item["Names"][0].lstrip("/"), item["Labels"]) for item in containers
    ] + [_reaped("volume", item["Name"], item["Labels"]) for item in volumes]
    orphans = (item for item, owner in found if owner is not None and not owner.alive)
    lost = _lost(engine) if run_id is None else ()
    return tuple(sorted((*orphans, *lost), key=lambda item: (item.what, item.name)))


def _lost(engine: Engine) -> tuple[Reaped, ...]:
    """Runtimes that hold a volume of ours and a container that the engine does not know."""
    with translated("listing what runs have left"):
        running = runtimes(f"{engine.api.info()['DockerRootDir']}{_VOLUMES}")
        known = {item["Id"] for item in engine.api.containers(all=True)}
    lost = running.keys() - known
    return tuple(Reaped(what="runtime", name=container, run="", job="") for container in lost)


def _reaped(what: str, name: str, labels: Mapping[str, Any]) -> tuple[Reaped, Owner | None]:
    """A resource and its owner; one that names none is not ours to remove."""
    found = Reaped(what=what, name=name, run=str(labels.get(RUN, "")), job=str(labels.get(JOB, "")))
    return found, Owner.parse(str(labels.get(OWNER, "")))
