"""Removes what dead orchestrators left on the engine: found by label, judged by owner.

Loop devices and image files need no reaping: an image file is unlinked at once and its device
clears itself, so the kernel frees both when the last container has ended.

A container that the engine lost track of in a crash has no labels any more: it is found by its
volume, and has no owner, because the engine does not know of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.labels import JOB, OWNER, RUN, Owner
from orchestrator.sandbox.engine.objects import remove_container, remove_volume
from orchestrator.sandbox.engine.sentinel import end_runtime, runtimes

_VOLUMES = "/volumes/aisci-"  # in the path of each volume of aisci, of any run


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """One leftover: a ``container`` or ``volume``, with its run and job.

    Or a ``runtime``: what still runs of a container that the engine lost (its id); run unknown.
    """

    what: str
    name: str
    run: str
    job: str


def reap(engine: Engine, run_id: str | None = None, *, dry_run: bool = False) -> tuple[Reaped, ...]:
    """Remove containers and volumes whose owner is dead; with ``dry_run`` only list them.

    Without ``run_id``, also the containers that the engine lost. Raises :class:`EngineFailed`.
    """
    items = leftovers(engine, run_id)
    for item in () if dry_run else items:
        if item.what == "container":
            remove_container(engine, item.name)
        elif item.what == "volume":
            remove_volume(engine, item.name)
        # Listed again: it may have ended since, and its PID may belong to another process now.
        elif (pid := runtimes(_VOLUMES).get(item.name)) is not None:
            end_runtime(item.name, pid)
    return items


def leftovers(engine: Engine, run_id: str | None = None) -> tuple[Reaped, ...]:
    """What dead owners left: containers, then lost runtimes, then volumes, which are free by then."""
    filters = {"label": [RUN if run_id is None else f"{RUN}={run_id}"]}
    with translated("listing leftovers of runs"):
        containers = engine.api.containers(all=True, filters=filters)
        volumes = engine.api.volumes(filters=filters)["Volumes"] or []
    found = [("container", one["Names"][0].lstrip("/"), one["Labels"]) for one in containers]
    found += [("volume", one["Name"], one["Labels"]) for one in volumes]
    orphans = []
    for what, name, labels in found:
        owner = Owner.parse(str(labels.get(OWNER, "")))
        if owner is not None and not owner.alive:  # one without an owner is not aisci's
            run, job = str(labels.get(RUN, "")), str(labels.get(JOB, ""))
            orphans.append(Reaped(what=what, name=name, run=run, job=job))
    lost = _lost(engine) if run_id is None else ()
    return tuple(sorted((*orphans, *lost), key=lambda item: (item.what, item.name)))


def _lost(engine: Engine) -> tuple[Reaped, ...]:
    """Runtimes that hold a volume of aisci's and a container that the engine does not know."""
    with translated("listing leftovers of runs"):
        running = runtimes(f"{engine.api.info()['DockerRootDir']}{_VOLUMES}")
        known = {item["Id"] for item in engine.api.containers(all=True)}
    lost = running.keys() - known
    return tuple(Reaped(what="runtime", name=container, run="", job="") for container in lost)
