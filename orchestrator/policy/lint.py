"""Limits that can never bind: each rule finds numbers in a policy that would limit nothing.

Each rule yields the dotted key, what is wrong with it, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.host import Machine
from orchestrator.core.units import rough_text, size_text, time_text
from orchestrator.policy.runtimes import LEAST_PIDS
from orchestrator.policy.schema import BLOCKS, Container, WholePolicy
from orchestrator.policy.values import why_not_set

LintRow = tuple[str, str, str]
"""A dotted key, what is wrong with it, what to do."""

LEAST_MEMORY = 6 * 2**20  # bytes; Docker refuses less, and treats 0 as "no limit"
LEAST_WORKSPACE = 2**20  # bytes; a file system's own tables need space
LEAST_TMPFS = 4096  # bytes: one page; Docker and the kernel treat 0 as "no limit"


def of_container(kind: str, block: Container) -> Iterator[LintRow]:
    """Limits of one container that can never bind, or that an engine treats as no limit."""
    yield from _unenforced(kind, block)
    uses, store, home = block.resources, block.storage, block.harvest
    sizes = (
        ("storage.file", store.file, "storage.workspace", store.workspace),
        ("harvest.bytes", home.bytes, "storage.workspace", store.workspace),
        ("harvest.file", home.file, "harvest.bytes", home.bytes),
        ("harvest.file", home.file, "storage.file", store.file),
        ("harvest.bytes", home.bytes, "harvest.files x harvest.file", home.files * home.file),
        ("resources.shm + storage.tmp", uses.shm + store.tmp, "resources.memory", uses.memory),
    )
    for small_name, small, large_name, large in sizes:
        if small > large:
            key = small_name.split(" + ")[0]
            what = f"{small_name} ({size_text(small)}) is above {large_name} ({size_text(large)})"
            yield (
                f"{kind}.{key}",
                f"{what}, so it can never bind",
                f"lower it to {size_text(large)}",
            )
    yield from _of_time(kind, block)
    if home.files > store.inodes:
        what = f"{home.files} is above storage.inodes ({store.inodes}): it can never bind"
        yield f"{kind}.harvest.files", what, f"lower it to {store.inodes}"
    if bool(block.gpus.count) != bool(block.gpus.memory):
        what = "GPUs and their memory are either both zero or neither"
        yield (
            f"{kind}.gpus.memory",
            what,
            "write `gpus: {count: 0, memory: 0B}`, or both above zero",
        )
    for key, size, least in (
        ("resources.memory", uses.memory, LEAST_MEMORY),
        ("storage.workspace", store.workspace, LEAST_WORKSPACE),
        ("storage.tmp", store.tmp, LEAST_TMPFS),
        ("resources.shm", uses.shm, LEAST_TMPFS),
    ):
        if size < least:
            what = f"nothing runs in less than {size_text(least)}"
            yield f"{kind}.{key}", what, f"raise it to {size_text(least)} or more"


def _of_time(kind: str, block: Container) -> Iterator[LintRow]:
    time = block.time
    most = block.resources.cpus * time.wall
    if time.cpu > most:
        what = f"{time_text(time.cpu)} is above cpus x wall ({time_text(most)}): it can never bind"
        yield f"{kind}.time.cpu", what, f"lower it to {time_text(most)} or less"
    if time.grace >= time.wall:
        what = f"the grace is not below the wall time ({time_text(time.wall)})"
        yield f"{kind}.time.grace", what, "lower the grace, or raise the wall time"
    for key, amount in (("wall", time.wall), ("cpu", time.cpu)):
        if amount <= 0:
            yield f"{kind}.time.{key}", "no program can run in no time", "write a time above 0s"


def _unenforced(kind: str, block: Container) -> Iterator[LintRow]:
    """What the schema allows and this version does not enforce: refused, never ignored."""
    if block.network and kind != "experiment":
        what = "only experiments can have an allow-list"
        yield f"{kind}.network", what, "write `network: none`"
    elif block.network and block.runtime != "runc":
        what = (
            f"an allow-list cannot be enforced under {block.runtime}: "
            "its containers cannot reach a socket of the host"
        )
        yield f"{kind}.network", what, "write `network: none`, or `runtime: runc`"
    least = LEAST_PIDS[block.runtime]
    if block.resources.pids < least:
        what = (
            f"{block.resources.pids} is too few for the threads of {block.runtime} and of a program"
        )
        yield f"{kind}.resources.pids", what, f"write {least} or more"
    if block.gpus.count and block.runtime != "runc":
        what = f"no test covers GPUs under {block.runtime}, so the limits may not be enforced"
        yield f"{kind}.gpus.count", what, "write `gpus: {count: 0, memory: 0B}`, or `runtime: runc`"
    if kind != "experiment" and block.gpus.count:
        yield f"{kind}.gpus.count", "only experiments can have a GPU", "write 0"
    if kind != "experiment" and block.data != "none":
        yield f"{kind}.data", "only experiments can have data sets", "write `data: none`"
    for name in block.env:
        why = why_not_set(name, block.network)
        if why:
            yield f"{kind}.env", f"{name} {why}", "remove it"


def of_budgets(whole: WholePolicy) -> Iterator[LintRow]:
    """Limits of ideas and of the run that other limits make unreachable."""
    idea, run = whole.idea, whole.run
    for key in ("usd", "tokens", "requests"):
        of_idea, of_run = getattr(idea.budget, key), getattr(run.budget, key)
        if of_idea > of_run:
            what = f"{of_idea:g} is above run.budget.{key} ({of_run:g}): it can never bind"
            yield f"idea.budget.{key}", what, f"lower it to {of_run:g}"
    if idea.wall > run.wall:
        what = f"{time_text(idea.wall)} is above run.wall ({time_text(run.wall)})"
        yield "idea.wall", f"{what}: it can never bind", f"lower it to {time_text(run.wall)}"
    most = idea.wall * whole.experiment.gpus.count
    if idea.gpu_time > most:
        what = f"{time_text(idea.gpu_time)} is above GPUs x wall ({time_text(most)})"
        yield "idea.gpu_time", f"{what}: it can never bind", f"lower it to {time_text(most)}"
    for kind in BLOCKS:
        block: Container = getattr(whole, kind)
        if block.time.wall > idea.wall:
            what = f"{time_text(block.time.wall)} is above idea.wall ({time_text(idea.wall)})"
            todo = f"lower it to {time_text(idea.wall)}, or raise idea.wall"
            yield f"{kind}.time.wall", f"{what}: it can never bind", todo
        for key, size, name, total in (
            ("resources.memory", block.resources.memory, "run.memory", run.memory),
            ("storage.workspace", block.storage.workspace, "run.disk", run.disk),
        ):
            if size > total:
                what = f"{size_text(size)} is above {name} ({size_text(total)})"
                todo = f"lower it to {size_text(total)}, or raise {name}"
                yield f"{kind}.{key}", f"{what}: no such job could start", todo


def of_run(whole: WholePolicy) -> Iterator[LintRow]:
    """Limits of a run that all its containers together cannot reach: valid, but without effect."""
    run = whole.run
    blocks: tuple[Container, ...] = tuple(getattr(whole, kind) for kind in BLOCKS)
    for key, limit, each in (
        ("memory", run.memory, [block.resources.memory for block in blocks]),
        ("disk", run.disk, [block.storage.workspace for block in blocks]),
    ):
        most = run.containers * max(each)
        if limit > most:
            what = f"{size_text(limit)} is above run.containers x the largest job"
            yield f"run.{key}", f"{what} ({size_text(most)})", f"lower it to {size_text(most)}"
        if run.containers * min(each) > limit:
            what = f"{run.containers} of the smallest jobs already exceed run.{key}"
            yield "run.containers", what, f"lower it to {limit // min(each)}"


def of_machine(whole: WholePolicy, machine: Machine) -> Iterator[LintRow]:
    """Limits above what ``machine`` has, where they would never bind."""
    keep = whole.run.keep_free
    for kind in BLOCKS:
        block: Container = getattr(whole, kind)
        if block.resources.cpus > machine.cpus:
            what = f"{block.resources.cpus:g} CPUs; this machine has {machine.cpus}"
            yield f"{kind}.resources.cpus", what, _lower_to(str(machine.cpus))
        if machine.gpus is not None and block.gpus.count > machine.gpus:
            what = f"{block.gpus.count} GPU{'s' * (block.gpus.count != 1)}; this machine has {machine.gpus}"
            yield f"{kind}.gpus.count", what, _lower_to(str(machine.gpus))
        if machine.gpu_memory is not None and block.gpus.memory > machine.gpu_memory:
            there = rough_text(machine.gpu_memory)
            what = f"{size_text(block.gpus.memory)}; the smallest GPU of this machine has {there}"
            yield f"{kind}.gpus.memory", what, _lower_to(there)
        for key, wanted, most in (
            ("pids", block.resources.pids, machine.pids),
            ("open_files", block.resources.open_files, machine.open_files),
        ):
            if wanted > most:
                what = f"{wanted}; this machine's kernel allows {most}"
                yield f"{kind}.resources.{key}", what, _lower_to(str(most))
        yield from _size(f"{kind}.resources.memory", block.resources.memory, machine.memory)
        yield from _size(f"{kind}.storage.workspace", block.storage.workspace, machine.disk, _FREE)
        for key, size, kept, most, name in (
            ("resources.memory", block.resources.memory, keep.memory, machine.memory, "memory"),
            ("storage.workspace", block.storage.workspace, keep.disk, machine.disk, "disk"),
        ):
            if size <= most < size + kept:
                what = (
                    f"{size_text(size)} and run.keep_free.{name} ({size_text(kept)}) together; "
                    f"this machine has {rough_text(most)}{_FREE * (name == 'disk')}"
                )
                yield f"{kind}.{key}", what, _lower_to(rough_text(most - kept))
    yield from _size("run.memory", whole.run.memory, machine.memory)
    yield from _size("run.disk", whole.run.disk, machine.disk, _FREE)
    yield from _size("run.keep_free.memory", keep.memory, machine.memory)
    yield from _size("run.keep_free.disk", keep.disk, machine.disk, _FREE)


_FREE = " free"


def _size(key: str, wanted: int, there: int, state: str = "") -> Iterator[LintRow]:
    if wanted > there:
        have = rough_text(there)
        yield key, f"{size_text(wanted)}; this machine has {have}{state}", _lower_to(have)


def _lower_to(most: str) -> str:
    return f"lower it to {most}, or use a smaller policy: `aisci policy list`"
