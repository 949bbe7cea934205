"""What this machine can do: each check says what was found, how it is known, and what to do.

``tested`` means that it was tried just now and seen; ``reported by the engine`` and ``read from
the system`` mean that somebody else's word is passed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.host import Host
from orchestrator.units import size_text

State = Literal["ok", "warn", "fail"]
Basis = Literal["tested", "reported by the engine", "read from the system"]

FEW = 2**30
DISK_WARN, DISK_FAIL = 10 * FEW, 2 * FEW  # bytes; the images alone take about four GiB
MEMORY_WARN = 4 * FEW  # bytes that are available; a small policy gives one container 3 GiB
MIN_API = (1, 41)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor's answer. ``todo`` is empty where nothing is to be done."""

    name: str
    state: State
    found: str
    basis: Basis
    todo: str = ""


def examine(seen: Host) -> tuple[Check, ...]:
    """Every check over what was seen."""
    checks = [*_engine(seen), *_machine(seen)]
    if seen.engine is not None:
        checks += [*_images(seen), _trial(seen), *_gpus(seen), *_leftovers(seen)]
    return tuple(checks)


def _engine(seen: Host) -> Iterator[Check]:
    if seen.engine is None:
        yield Check(name="engine", state="fail", found=seen.why, basis="tested", todo=seen.todo)
        return
    told = seen.engine
    api = tuple(int(part) for part in told.api.split("."))
    old = "" if api >= MIN_API else f"aisci was tried with API {MIN_API[0]}.{MIN_API[1]} and newer"
    yield Check(
        name="engine",
        state="warn" if old else "ok",
        found=f"{told.name} {told.version}, API {told.api}, kernel {told.kernel}",
        basis="tested",
        todo=old,
    )
    yield Check(
        name="cgroups",
        state="ok",
        found=f"version {told.cgroup}, driver {told.cgroup_driver}",
        basis="reported by the engine",
    )
    yield Check(
        name="engine's own storage",
        state="ok",
        found=f"{told.storage_driver} (quotas of jobs do not depend on it)",
        basis="reported by the engine",
    )
    yield Check(
        name="runtimes",
        state="ok",
        found=", ".join(one.name for one in seen.runtimes),
        basis="reported by the engine",
    )


def _machine(seen: Host) -> Iterator[Check]:
    yield Check(name="processors", state="ok", found=str(seen.cpus), basis="read from the system")
    tight = seen.memory_free < MEMORY_WARN
    yield Check(
        name="memory",
        state="warn" if tight else "ok",
        found=f"{_rough(seen.memory_free)} available",
        basis="read from the system",
        todo="one container of the policy ci-cpu may take 3GiB; close what else runs"
        if tight
        else "",
    )
    disk: State = "fail" if seen.disk < DISK_FAIL else "warn" if seen.disk < DISK_WARN else "ok"
    yield Check(
        name="disk",
        state=disk,
        found=f"{_rough(seen.disk)} free where results lie",
        basis="read from the system",
        todo="make room, or keep results elsewhere with --results" if disk != "ok" else "",
    )


def _images(seen: Host) -> Iterator[Check]:
    for name, state in seen.images:
        optional = name.endswith(":cuda")
        bad: State = "warn" if optional else "fail"
        if optional and not seen.gpus:
            continue
        yield Check(
            name=f"image {name}",
            state="ok" if state == "ready" else bad,
            found=state,
            basis="tested",
            todo="" if state == "ready" else f"aisci images build {name}",
        )


def _trial(seen: Host) -> Check:
    if seen.trial is None:
        return Check(
            name="a hardened job",
            state="fail",
            found=seen.trial_why,
            basis="tested",
            todo=seen.trial_todo,
        )
    held = seen.trial
    return Check(
        name="a hardened job",
        state="ok",
        found=f"ran as asked: {len(held.inspected)} settings read back the same, "
        f"{len(held.seen)} seen in its process, quota by {held.storage}, runtime {held.runtime}",
        basis="tested",
    )


def _gpus(seen: Host) -> Iterator[Check]:
    yield Check(
        name="GPUs",
        state="ok" if seen.gpus else "warn",
        found=", ".join(seen.gpus) or "none",
        basis="read from the system",
        todo="" if seen.gpus else "policies with gpus.count above 0 are refused here; use ci-cpu",
    )


def _leftovers(seen: Host) -> Iterator[Check]:
    yield Check(
        name="leftovers of dead runs",
        state="warn" if seen.leftovers else "ok",
        found=str(seen.leftovers or "none"),
        basis="reported by the engine",
        todo="aisci reap" if seen.leftovers else "",
    )


def _rough(size: int) -> str:
    return size_text(size // 2**20 * 2**20) if size < FEW else f"{size / FEW:.1f} GiB"
