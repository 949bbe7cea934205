"""Limits that can never bind, and keys that cannot be enforced, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple, ParamSpec

from orchestrator.core.host import Machine
from orchestrator.core.units import number_text, rough_text, size_text, time_text
from orchestrator.policy.runtimes import LEAST_PIDS
from orchestrator.policy.schema import BLOCKS, Container, WholePolicy
from orchestrator.policy.values import why_not_set

_Row = tuple[str, str, str]
_Given = ParamSpec("_Given")


class LintRow(NamedTuple):
    """A dotted key, what is wrong with it, what to do, and the name of the broken rule."""

    key: str
    what: str
    todo: str
    rule: str


def _rule(
    name: str,
) -> Callable[[Callable[_Given, Iterator[_Row]]], Callable[_Given, Iterator[LintRow]]]:
    """The function that finds rows, as one that names their rule in each."""

    def named(find: Callable[_Given, Iterator[_Row]]) -> Callable[_Given, Iterator[LintRow]]:
        @wraps(find)
        def rows(*args: _Given.args, **kwargs: _Given.kwargs) -> Iterator[LintRow]:
            return (LintRow(*row, name) for row in find(*args, **kwargs))

        return rows

    return named


LEAST_MEMORY = 6 * 2**20  # bytes; Docker refuses less, and treats 0 as "no limit"
LEAST_WORKSPACE = 2**20  # bytes; a file system's own tables need space
LEAST_TMPFS = 4096  # bytes: one page; Docker and the kernel treat 0 as "no limit"


def of_container(kind: str, block: Container) -> Iterator[LintRow]:
    """What cannot be enforced in one container, can never bind, or is no limit for an engine."""
    yield from _unenforced(kind, block)
    yield from _unbound(kind, block)


@_rule("never-binds")
def _unbound(kind: str, block: Container) -> Iterator[_Row]:
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
            what = f"{small_name} ({size_text(small)}) is above {large_name} ({size_text(large)})"
            key = f"{kind}.{small_name.split(' + ')[0]}"
            yield key, f"{what}, so it can never bind", f"lower it to {size_text(large)}"
    yield from _of_time(kind, block)
    if block.image_age == 0:
        yield f"{kind}.image_age", "no image can be that new", "write a time such as 30d, or any"
    yield from _above(f"{kind}.harvest.files", home.files, "storage.inodes", store.inodes, str)
    if bool(block.gpus.count) != bool(block.gpus.memory):
        what = "GPUs and their memory are either both zero or neither"
        todo = "write `gpus: {count: 0, memory: 0B}`, or both above zero"
        yield f"{kind}.gpus.memory", what, todo
    for key, size, least in (
        ("resources.memory", uses.memory, LEAST_MEMORY),
        ("storage.workspace", store.workspace, LEAST_WORKSPACE),
        ("storage.tmp", store.tmp, LEAST_TMPFS),
        ("resources.shm", uses.shm, LEAST_TMPFS),
    ):
        if size < least:
            what = f"nothing runs in less than {size_text(least)}"
            yield f"{kind}.{key}", what, f"raise it to {size_text(least)} or more"


def _above(
    key: str,
    given: float,
    name: str,
    most: float,
    text: Callable[[Any], str],
    *,
    so: str = ": it can never bind",
    todo: str = "",
) -> Iterator[_Row]:
    """A row if ``given`` is above ``most``, which the other limit ``name`` sets."""
    if given > most:
        what = f"{text(given)} is above {name} ({text(most)}){so}"
        yield key, what, f"lower it to {text(most)}{todo}"


def _of_time(kind: str, block: Container) -> Iterator[_Row]:
    time = block.time
    most = block.resources.cpus * time.wall
    yield from _above(f"{kind}.time.cpu", time.cpu, "cpus x wall", most, time_text, todo=" or less")
    if time.grace >= time.wall:
        what = f"the grace is not below the wall time ({time_text(time.wall)})"
        yield f"{kind}.time.grace", what, "lower the grace, or raise the wall time"
    for key, amount in (("wall", time.wall), ("cpu", time.cpu)):
        if amount <= 0:
            yield f"{kind}.time.{key}", "no program can run in no time", "write a time above 0s"


@_rule("not-enforced")
def _unenforced(kind: str, block: Container) -> Iterator[_Row]:
    """What the schema allows and this version does not enforce: refused, never ignored."""
    if block.network and kind != "experiment":
        what = "only experiments can have an allow-list"
        yield f"{kind}.network", what, "write `network: none`"
    elif block.network and block.runtime != "runc":
        what = f"an allow-list cannot be enforced under {block.runtime}: "
        what += "its containers cannot reach a socket of the host"
        yield f"{kind}.network", what, "write `network: none`, or `runtime: runc`"
    least = LEAST_PIDS[block.runtime]
    if block.resources.pids < least:
        what = f"{block.resources.pids} is too few for the threads of {block.runtime}"
        yield f"{kind}.resources.pids", f"{what} and of a program", f"write {least} or more"
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


@_rule("never-binds")
def of_budgets(whole: WholePolicy) -> Iterator[_Row]:
    """Limits of ideas and of the run that other limits make unreachable."""
    idea, run = whole.idea, whole.run
    for key in ("usd", "tokens", "requests"):
        given, most = getattr(idea.budget, key), getattr(run.budget, key)
        yield from _above(f"idea.budget.{key}", given, f"run.budget.{key}", most, number_text)
    yield from _above("idea.wall", idea.wall, "run.wall", run.wall, time_text)
    most = idea.wall * whole.experiment.gpus.count
    yield from _above("idea.gpu_time", idea.gpu_time, "GPUs x wall", most, time_text)
    if not isinstance(run.gpu_time, str):
        given = idea.gpu_time
        yield from _above("idea.gpu_time", given, "run.gpu_time", run.gpu_time, time_text)
    for kind in BLOCKS:
        block: Container = getattr(whole, kind)
        none, time, store = ": no such job could start", block.time.wall, block.storage.workspace
        for key, given, name, most, text, so in (
            ("time.wall", time, "idea.wall", idea.wall, time_text, ": it can never bind"),
            ("resources.memory", block.resources.memory, "run.memory", run.memory, size_text, none),
            ("storage.workspace", store, "run.disk", run.disk, size_text, none),
        ):
            todo = f", or raise {name}"
            yield from _above(f"{kind}.{key}", given, name, most, text, so=so, todo=todo)


@_rule("no-effect")
def of_run(whole: WholePolicy) -> Iterator[_Row]:
    """Limits of a run that all its containers together cannot reach: valid, but without effect."""
    run = whole.run
    blocks: tuple[Container, ...] = tuple(getattr(whole, kind) for kind in BLOCKS)
    for key, limit, each in (
        ("memory", run.memory, [block.resources.memory for block in blocks]),
        ("disk", run.disk, [block.storage.workspace for block in blocks]),
    ):
        most = run.containers * max(each)
        all_jobs = "run.containers x the largest job"
        yield from _above(f"run.{key}", limit, all_jobs, most, size_text, so="")
        if run.containers * min(each) > limit:
            what = f"{run.containers} of the smallest jobs already exceed run.{key}"
            yield "run.containers", what, f"lower it to {limit // min(each)}"


@_rule("above-machine")
def of_machine(whole: WholePolicy, machine: Machine) -> Iterator[_Row]:
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
        memory, workspace = block.resources.memory, block.storage.workspace
        yield from _size(f"{kind}.resources.memory", memory, machine.memory)
        yield from _size(f"{kind}.storage.workspace", workspace, machine.disk, " free")
        for key, size, kept, most, name, free in (
            ("resources.memory", memory, keep.memory, machine.memory, "memory", ""),
            ("storage.workspace", workspace, keep.disk, machine.disk, "disk", " free"),
        ):
            if size <= most < size + kept:
                what = f"{size_text(size)} and run.keep_free.{name} ({size_text(kept)}) together; "
                what += f"this machine has {rough_text(most)}{free}"
                yield f"{kind}.{key}", what, _lower_to(rough_text(most - kept))
    for key, limit in (("run", whole.run), ("run.keep_free", keep)):
        yield from _size(f"{key}.memory", limit.memory, machine.memory)
        yield from _size(f"{key}.disk", limit.disk, machine.disk, " free")


def _size(key: str, wanted: int, there: int, state: str = "") -> Iterator[_Row]:
    if wanted > there:
        have = rough_text(there)
        yield key, f"{size_text(wanted)}; this machine has {have}{state}", _lower_to(have)


def _lower_to(most: str) -> str:
    return f"lower it to {most}, or use a smaller policy: `aisci policy list`"
