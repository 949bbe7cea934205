"""Images, GPUs, and free capacity: processors, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.core.host import Host
from orchestrator.core.units import GIB, TIMES, rough_text
from orchestrator.machine.doctor.check import Check, CheckState
from orchestrator.sandbox.images.age import OLD_AFTER

DISK_WARN, DISK_FAIL = 10 * GIB, 2 * GIB  # bytes; the images alone take about four GiB
MEMORY_WARN = 4 * GIB  # bytes that are available; a small policy gives one container 3 GiB

_image, _gpu, _room = (partial(Check, group) for group in ("images", "GPUs", "room"))


def capacity_checks(host: Host) -> Iterator[Check]:
    """Checks of this machine, and of the engine's images and GPUs where an engine answers."""
    if host.engine is not None:
        yield from _images(host)
        yield from _gpus(host)
        left, todo = host.leftovers, "aisci reap" if host.leftovers else ""
        found = f"{left or 'none'} of dead runs"
        yield _room("leftovers", "warn" if left else "ok", found, "reported", todo)
    yield _room("processors", "ok", str(host.cpus), "read")
    low = host.memory_free < MEMORY_WARN
    found = f"{rough_text(host.memory_free)} of {rough_text(host.memory)} available"
    todo = "one container of the policy ci-cpu may use 3GiB; close other programs" if low else ""
    yield _room("memory", "warn" if low else "ok", found, "read", todo)
    little: CheckState = "fail" if host.disk < DISK_FAIL else "warn"
    disk: CheckState = little if host.disk < DISK_WARN else "ok"
    todo = "free disk space, or keep results elsewhere with --results" if disk != "ok" else ""
    yield _room("disk", disk, f"{rough_text(host.disk)} free for results", "read", todo)


def _images(host: Host) -> Iterator[Check]:
    ready = [name for name, state in host.images if state == "ready"]
    if ready:
        yield _image("ready", "ok", ", ".join(ready), "tested")
    for name, state in host.images:
        optional = name.endswith(":cuda")
        if name not in ready and (host.gpus or not optional):
            level: CheckState = "warn" if optional else "fail"
            yield _image(name, level, state, "tested", f"aisci images build {name}")
    for name, age in host.image_ages:
        days = int(age // TIMES["d"])
        if days > OLD_AFTER:
            found = f"{days} days old: without Debian's updates since"
            yield _image(name, "warn", found, "reported", f"aisci images build --fresh {name}")


def _gpus(host: Host) -> Iterator[Check]:
    if not host.gpus:
        todo = "policies with gpus.count above 0 are refused here; use ci-cpu"
        yield _gpu("the driver's", "note", "none", "read", todo)
        return
    yield _gpu("the driver's", "ok", ", ".join(host.gpus), "read")
    named = [gpu for gpu in host.gpus if f"nvidia.com/gpu={gpu.split()[0]}" in host.cdi]
    if len(named) == len(host.gpus):
        yield _gpu("lent by", "ok", "their names (CDI)", "reported")
    else:
        legacy = any(runtime.name == "nvidia" for runtime in host.runtimes)
        found = f"{'toolkit hook' if legacy else 'nothing'}: the engine names {len(named)} of "
        found += f"{len(host.gpus)} by CDI"
        todo = "Docker 25 or newer, then `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`"
        yield _gpu("lent by", "warn", found, "reported", todo)
    found = (
        "memory and time are sampled and overuse is killed; only MIG could limit them in hardware"
    )
    yield _gpu("their limits", "note", found, "read")
