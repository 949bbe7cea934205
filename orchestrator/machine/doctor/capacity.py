"""Images, GPUs, and the room that is left: processors, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.host import Host
from orchestrator.core.units import rough_text
from orchestrator.machine.doctor.check import Check, CheckState

_IMAGES, _GPUS, _ROOM = "images", "GPUs", "room"
_GIB = 2**30
DISK_WARN, DISK_FAIL = 10 * _GIB, 2 * _GIB  # bytes; the images alone take about four GiB
MEMORY_WARN = 4 * _GIB  # bytes that are available; a small policy gives one container 3 GiB


def capacity_checks(host: Host) -> Iterator[Check]:
    """Of the machine alone, and of the engine where one answers."""
    if host.engine is not None:
        yield from _images(host)
        yield from _gpus(host)
        yield _leftovers(host)
    yield Check(group=_ROOM, name="processors", state="ok", found=str(host.cpus), basis="read")
    tight = host.memory_free < MEMORY_WARN
    yield Check(
        group=_ROOM,
        name="memory",
        state="warn" if tight else "ok",
        found=f"{rough_text(host.memory_free)} of {rough_text(host.memory)} available",
        basis="read",
        todo="one container of the policy ci-cpu may take 3GiB; close what else runs"
        if tight
        else "",
    )
    disk: CheckState = (
        "fail" if host.disk < DISK_FAIL else "warn" if host.disk < DISK_WARN else "ok"
    )
    yield Check(
        group=_ROOM,
        name="disk",
        state=disk,
        found=f"{rough_text(host.disk)} free where results lie",
        basis="read",
        todo="make room, or keep results elsewhere with --results" if disk != "ok" else "",
    )


def _images(host: Host) -> Iterator[Check]:
    ready = [name for name, state in host.images if state == "ready"]
    if ready:
        yield Check(
            group=_IMAGES, name="ready", state="ok", found=", ".join(ready), basis="tested",
        )  # fmt: skip
    for name, state in host.images:
        optional = name.endswith(":cuda")
        if name not in ready and (host.gpus or not optional):
            yield Check(
                group=_IMAGES,
                name=name,
                state="warn" if optional else "fail",
                found=state,
                basis="tested",
                todo=f"aisci images build {name}",
            )


def _gpus(host: Host) -> Iterator[Check]:
    yield Check(
        group=_GPUS,
        name="the driver's",
        state="ok" if host.gpus else "note",
        found=", ".join(host.gpus) or "none",
        basis="read",
        todo="" if host.gpus else "policies with gpus.count above 0 are refused here; use ci-cpu",
    )
    if not host.gpus:
        return
    named = [gpu for gpu in host.gpus if f"nvidia.com/gpu={gpu.split()[0]}" in host.cdi]
    legacy = any(one.name == "nvidia" for one in host.runtimes)
    lent = "toolkit's hook" if legacy else "nothing"
    all_named = len(named) == len(host.gpus)
    yield Check(
        group=_GPUS,
        name="lent by",
        state="ok" if all_named else "warn",
        found="their names (CDI)"
        if all_named
        else f"{lent}: the engine names {len(named)} of {len(host.gpus)} by CDI",
        basis="reported",
        todo=""
        if all_named
        else "Docker 25 or newer, then `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`",
    )
    yield Check(
        group=_GPUS,
        name="their limits",
        state="note",
        found="memory and seconds are sampled and overuse is killed; only MIG could hold them hard",
        basis="read",
    )


def _leftovers(host: Host) -> Check:
    return Check(
        group=_ROOM,
        name="leftovers",
        state="warn" if host.leftovers else "ok",
        found=f"{host.leftovers or 'none'} of dead runs",
        basis="reported",
        todo="aisci reap" if host.leftovers else "",
    )
