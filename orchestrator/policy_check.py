"""What is wrong with a policy that loads: limits that cannot bind, or that nothing enforces.

A limit that can never be reached reads like a promise and is none. What this version of aisci
cannot enforce yet is found here, before a run, and refused again by the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator import BadPolicy
from orchestrator.policy import Policy, load, load_blocks
from orchestrator.policy_schema import (
    BLOCKS,
    Container,
    EditorContainer,
    Whole,
)
from orchestrator.policy_values import OBEYED_BY_HOST
from orchestrator.units import size_text, time_text
from orchestrator.yamlfile import Document


@dataclass(frozen=True, slots=True)
class Finding:
    """``where`` is file, line, column and key; a ``note`` is to be known, an ``error`` mended."""

    level: Literal["error", "note"]
    where: str
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}\n  {self.what}\n  do: {self.todo}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine has: CPUs, bytes of memory and of free disk, GPUs (None: not looked)."""

    cpus: int
    memory: int
    disk: int
    gpus: int | None = None


Found = tuple[str, str, str]
"""A dotted key, what is wrong with it, what to do."""


def check(policy: Policy) -> tuple[Finding, ...]:
    """Everything to say about ``policy`` that holds on any machine."""
    found = [one for kind in BLOCKS for one in _container(kind, getattr(policy.whole, kind))]
    found += _budgets(policy.whole)
    return _errors(policy.document, found) + _notes(policy)


def check_machine(policy: Policy, machine: Machine) -> tuple[Finding, ...]:
    """Limits above what ``machine`` has; there they would never bind."""
    return _errors(policy.document, list(_above(policy.whole, machine)))


def check_file(name: str, shipped: Path, machine: Machine | None = None) -> tuple[Finding, ...]:
    """As :func:`check`, also for a file that holds only blocks for other policies.

    With ``machine``, a whole policy is checked against it as well.

    Raises :class:`UnknownName`, and :class:`BadPolicy` where the file does not load.
    """
    document, found_here = load_blocks(name, shipped)
    settings = found_here.settings
    if not settings or not set(settings) <= set(BLOCKS):
        policy = load(name, shipped)
        return check(policy) + (check_machine(policy, machine) if machine else ())
    found: list[Found] = []
    for kind, block in settings.items():
        model = EditorContainer if kind == "editor" else Container
        missing = sorted(set(Container.model_fields) - set(block))
        if missing:
            todo = "a block that others extend writes every key"
            found.append((f"{kind}.{missing[0]}", "this key is missing", todo))
            continue
        found += _container(kind, model.model_validate(block))
    return _errors(document, found)


def refuse(policy: Policy, findings: tuple[Finding, ...]) -> None:
    """Raise :class:`BadPolicy` with every error among ``findings``, if there is one."""
    errors = [one for one in findings if one.level == "error"]
    if errors:
        raise BadPolicy(
            f"the policy {policy.name!r} cannot be used: {errors[0].what}",
            where=errors[0].where,
            why="\n".join(["and:"] * (len(errors) > 1) + [_short(one) for one in errors[1:]]),
            todo="\n".join(dict.fromkeys(one.todo for one in errors)),
        )


def _short(finding: Finding) -> str:
    """``10:24: experiment.resources.memory: 32GiB; …``: the file was named already."""
    place = finding.where.rsplit("/", 1)[-1]
    return f"{place}: {finding.what}"


def _errors(document: Document, found: list[Found]) -> tuple[Finding, ...]:
    return tuple(
        Finding("error", document.where(tuple(key.split("."))), what, todo)
        for key, what, todo in found
    )


def _notes(policy: Policy) -> tuple[Finding, ...]:
    if not policy.editor_on_host:
        return ()
    return (
        Finding(
            "note",
            policy.document.where(("editor",)),
            "the editor runs on the host with your rights, under its own guard alone",
            "leave `editor: process` out to keep it in a container",
        ),
    )


def _container(kind: str, block: Container) -> Iterator[Found]:
    yield from _unenforced(kind, block)
    uses, store, home, time = block.resources, block.storage, block.harvest, block.time
    sizes = (
        ("storage.file", store.file, "storage.workspace", store.workspace),
        ("harvest.bytes", home.bytes, "storage.workspace", store.workspace),
        ("harvest.file", home.file, "harvest.bytes", home.bytes),
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
    most = uses.cpus * time.wall
    if time.cpu > most:
        what = f"{time_text(time.cpu)} is above cpus x wall ({time_text(most)}): it can never bind"
        yield f"{kind}.time.cpu", what, f"lower it to {time_text(most)} or less"
    if time.grace >= time.wall:
        yield f"{kind}.time.grace", "the grace is not below the wall time", "lower it"
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
    for key, amount in (("wall", time.wall), ("cpu", time.cpu)):
        if amount <= 0:
            yield f"{kind}.time.{key}", "no program can run in no time", "raise it"


def _unenforced(kind: str, block: Container) -> Iterator[Found]:
    """What the schema knows and this version does not enforce: refused, never ignored."""
    if block.network:
        what = "a network allow-list is not enforceable yet on this build of aisci"
        yield f"{kind}.network", what, "write `network: none`"
    if block.seccomp != "default":
        what = "a seccomp file is not enforceable yet on this build of aisci"
        yield f"{kind}.seccomp", what, "write `seccomp: default`"
    if kind != "experiment" and block.gpus.count:
        yield f"{kind}.gpus.count", "only experiments can be given a GPU", "write 0"
    for name in block.env:
        if name.startswith(OBEYED_BY_HOST):
            what = f"{name} would change how programs are loaded or which GPUs are lent"
            yield f"{kind}.env", what, "remove it"


def _budgets(whole: Whole) -> Iterator[Found]:
    idea, run = whole.idea, whole.run
    for key in ("usd", "tokens", "requests"):
        of_idea, of_run = getattr(idea.budget, key), getattr(run.budget, key)
        if of_idea > of_run:
            what = f"{of_idea:g} is above run.budget.{key} ({of_run:g}): it can never bind"
            yield f"idea.budget.{key}", what, f"lower it to {of_run:g}"
    if idea.wall > run.wall:
        what = f"{time_text(idea.wall)} is above run.wall ({time_text(run.wall)})"
        yield "idea.wall", f"{what}: it can never bind", "lower it"
    most = idea.wall * whole.experiment.gpus.count
    if idea.gpu_time > most:
        what = f"{time_text(idea.gpu_time)} is above GPUs x wall ({time_text(most)})"
        yield "idea.gpu_time", f"{what}: it can never bind", f"lower it to {time_text(most)}"
    for kind in BLOCKS:
        block: Container = getattr(whole, kind)
        if block.time.wall > idea.wall:
            yield f"{kind}.time.wall", "is above idea.wall: it can never bind", "lower it"
        if block.resources.memory > run.memory:
            yield (
                f"{kind}.resources.memory",
                "is above run.memory: it could never start",
                "lower it",
            )
        if block.storage.workspace > run.disk:
            yield f"{kind}.storage.workspace", "is above run.disk: it could never start", "lower it"


def _above(whole: Whole, machine: Machine) -> Iterator[Found]:
    todo = "lower it, or use a smaller policy such as ci-cpu"
    for kind in BLOCKS:
        block: Container = getattr(whole, kind)
        if block.resources.cpus > machine.cpus:
            what = f"{block.resources.cpus:g} CPUs; this machine has {machine.cpus}"
            yield f"{kind}.resources.cpus", what, todo
        if block.gpus.count > (machine.gpus if machine.gpus is not None else block.gpus.count):
            what = f"{block.gpus.count} GPUs; this machine has {machine.gpus}"
            yield f"{kind}.gpus.count", what, todo
        yield from _size(f"{kind}.resources.memory", block.resources.memory, machine.memory, todo)
        yield from _size(f"{kind}.storage.workspace", block.storage.workspace, machine.disk, todo)
        together = block.resources.memory + whole.run.keep_free.memory
        if block.resources.memory <= machine.memory < together:
            what = f"with run.keep_free.memory it is above this machine's {_tidy(machine.memory)}"
            yield f"{kind}.resources.memory", what, todo
    yield from _size("run.memory", whole.run.memory, machine.memory, todo)
    yield from _size("run.disk", whole.run.disk, machine.disk, todo)
    yield from _size("run.keep_free.memory", whole.run.keep_free.memory, machine.memory, todo)
    yield from _size("run.keep_free.disk", whole.run.keep_free.disk, machine.disk, todo)


def _size(key: str, wanted: int, there: int, todo: str) -> Iterator[Found]:
    if wanted > there:
        yield key, f"{size_text(wanted)}; this machine has {_tidy(there)}", todo


def _tidy(size: int) -> str:
    """Whole MiB, as far as anybody wants to know it."""
    return size_text(size // 2**20 * 2**20)
