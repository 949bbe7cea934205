"""What is to be proved: a whole policy, or a file of blocks for others, as plain numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from orchestrator.core.errors import UserError
from orchestrator.core.host import Machine
from orchestrator.core.job import ContainerKind, Limits
from orchestrator.core.tree import digest
from orchestrator.policy.check import check_file, comparable, only_blocks, refuse
from orchestrator.policy.controls import of_setting
from orchestrator.policy.lint import of_machine
from orchestrator.policy.policy import Policy, limits_of, load_blocks, load_policy
from orchestrator.policy.schema import Container, EditorContainer
from orchestrator.proof.probe import Probe

KINDS: tuple[ContainerKind, ...] = get_args(ContainerKind)
_OTHER_FLAVOUR = ("aisci-sandbox:cuda", "aisci-sandbox:cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A policy as a proof takes it. ``limits`` are those of each kind of container that it has.

    ``whole`` is the policy itself, None for a file of blocks. ``unproved`` are (control, reason)
    of what this machine cannot show, whatever the probes say.
    """

    name: str
    origin: str
    hash: str
    limits: dict[ContainerKind, Limits]
    whole: Policy | None = None
    unproved: tuple[tuple[str, str], ...] = ()


def subject_of(name: str, shipped: Path) -> Subject:
    """The policy of that name. Raises :class:`UnknownName` and :class:`BadPolicy`."""
    document, said = load_blocks(name, shipped)
    refuse(name, check_file(name, shipped))
    origin = document.path if "/" in name else "shipped"
    if not only_blocks(said.settings):
        whole = load_policy(name, shipped)
        kinds = [kind for kind in KINDS if not (kind == "editor" and whole.editor_on_host)]
        limits = {kind: whole.limits(kind) for kind in kinds}
        return Subject(name=whole.name, origin=origin, hash=whole.hash, limits=limits, whole=whole)
    settings = comparable(name, shipped)
    limits = {kind: limits_of(_block(kind, settings[kind])) for kind in KINDS if kind in settings}
    if not limits:
        raise UserError(
            "no block of this file has every key",
            where=name,
            todo="name a whole policy, or complete one block",
        )
    told = str(document.data["name"])
    return Subject(name=told, origin=origin, hash=digest(settings), limits=limits)


def _block(kind: ContainerKind, settings: object) -> Container:
    return (EditorContainer if kind == "editor" else Container).model_validate(settings)


def for_machine(subject: Subject, machine: Machine) -> Subject:
    """The subject with what ``machine`` has not, as reasons; a GPU that is not there is not asked for."""
    reasons: dict[str, list[str]] = {}
    if subject.whole is not None:
        for key, what, _ in of_machine(subject.whole.whole, machine):
            reasons.setdefault(of_setting(key).id, []).append(f"{key}: {what}")
        if subject.whole.editor_on_host:
            said = "the policy runs Aider on the host: there is no container that could be tried"
            reasons.setdefault("editor", []).append(said)
    limits = dict(subject.limits)
    job = limits.get("experiment")
    if job is not None and job.gpus > (machine.gpus or 0):
        limits["experiment"] = replace(job, gpus=0, gpu_memory=0, image=_for_cpus(job.image))
        if limits["experiment"].image != job.image:
            said = f"the image {job.image} needs a GPU; {_OTHER_FLAVOUR[1]} was tried in its place"
            reasons.setdefault("container", []).append(said)
    unproved = tuple((control, "; ".join(said)) for control, said in reasons.items())
    return replace(subject, limits=limits, unproved=unproved)


def _for_cpus(image: str) -> str:
    return _OTHER_FLAVOUR[1] if image in {_OTHER_FLAVOUR[0], "aisci-sandbox"} else image


def applicable_probes(
    subject: Subject, probes: tuple[Probe, ...]
) -> tuple[dict[ContainerKind, tuple[Probe, ...]], tuple[tuple[str, str], ...]]:
    """The probes for each kind of container, and (probe, reason) of those that say nothing here."""
    chosen: dict[ContainerKind, tuple[Probe, ...]] = {}
    left: dict[str, str] = {probe.id: "no container of its kind" for probe in probes}
    for kind, limits in subject.limits.items():
        mine = []
        for probe in probes:
            if kind not in probe.kinds:
                continue
            why = _why_not(probe, subject, limits)
            if why:
                left[probe.id] = why
            else:
                mine.append(probe)
                left.pop(probe.id, None)
        chosen[kind] = tuple(mine)
    return chosen, tuple(_still(left, chosen))


def _still(
    left: dict[str, str], chosen: dict[ContainerKind, tuple[Probe, ...]]
) -> Iterator[tuple[str, str]]:
    run = {probe.id for mine in chosen.values() for probe in mine}
    yield from ((name, why) for name, why in left.items() if name not in run)


def _why_not(probe: Probe, subject: Subject, limits: Limits) -> str:
    lacks = {
        "allow-list": ("the policy allows no host", not limits.network),
        "gvisor": (
            "the policy's runtime is runc: the host's kernel answers",
            limits.runtime == "runc",
        ),
        "gpu": ("no GPU is granted, or there is none", not limits.gpus),
        "no gpu": ("a GPU is granted", bool(limits.gpus)),
        "whole policy": ("the file holds blocks for other policies", subject.whole is None),
        "": ("", False),
    }
    why, lacking = lacks[probe.needs]
    return why if lacking else ""
