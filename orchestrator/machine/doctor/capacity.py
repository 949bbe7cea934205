"""Images, GPUs, and free capacity: processors, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.core.host import Host
from orchestrator.core.units import GIB, TIMES, rough_text
from orchestrator.machine.doctor.check import Check, CheckState
from orchestrator.sandbox.gpus.nvproxy import why_unlisted
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
    if host.runtime("runsc").state != "absent":
        yield _under_gvisor(host)


def _under_gvisor(host: Host) -> Check:
    """Whether runsc knows this machine's driver; aisci refuses GPUs under it in either case."""
    unlisted = why_unlisted(host.driver, host.gvisor_drivers)
    if unlisted:
        todo = "a driver of the list, or a newer gVisor: https://gvisor.dev/docs/user_guide/gpu"
        return _gpu("under gVisor", "warn", unlisted, "reported", todo)
    if not host.gvisor_drivers:
        found = "this runsc is too old to tell which NVIDIA drivers it passes on"
        todo = "a newer gVisor: https://gvisor.dev/docs/user_guide/install"
        return _gpu("under gVisor", "note", found, "reported", todo)
    known = f"the NVIDIA driver {host.driver} is in the list of this runsc"
    found = known if host.driver else "the version of the NVIDIA driver cannot be read here"
    found += "; no test covers GPUs under runsc, so no policy can ask for both"
    return _gpu("under gVisor", "note", found, "reported")
