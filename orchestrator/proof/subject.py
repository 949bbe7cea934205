"""What is to be proved, as plain numbers: a whole policy, or a file of blocks for others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.core.errors import UserError
from orchestrator.core.host import Machine
from orchestrator.core.job import KINDS, ContainerKind, Limits
from orchestrator.core.tree import digest
from orchestrator.policy.check import check_file, comparable, only_blocks, refuse
from orchestrator.policy.controls import of_setting
from orchestrator.policy.lint import of_machine
from orchestrator.policy.policy import Policy, limits_of, load_blocks, load_policy
from orchestrator.policy.schema import Container, EditorContainer
from orchestrator.proof.probe import Probe

_FLAVOURS = ("aisci-sandbox:cuda", "aisci-sandbox:cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The subject of a proof. ``limits`` are those of each kind of container that the policy has.

    ``whole`` is the policy itself, None for a file of blocks. ``unproved`` are (control, reason) of
    what this machine cannot show, whatever the probes show.
    """

    name: str
    origin: str
    hash: str
    limits: dict[ContainerKind, Limits]
    whole: Policy | None = None
    unproved: tuple[tuple[str, str], ...] = ()


def subject_of(name: str, shipped: Path) -> Subject:
    """The policy of that name. Raises :class:`UnknownName` and :class:`BadPolicy`."""
    document, blocks = load_blocks(name, shipped)
    refuse(name, check_file(name, shipped))
    origin = document.path if "/" in name else "shipped"
    if not only_blocks(blocks.settings):
        whole = load_policy(name, shipped)
        kinds = [kind for kind in KINDS if not (kind == "editor" and whole.editor_on_host)]
        limits = {kind: whole.limits(kind) for kind in kinds}
        return Subject(name=whole.name, origin=origin, hash=whole.hash, limits=limits, whole=whole)
    settings = comparable(name, shipped)
    limits = {}
    for kind in (kind for kind in KINDS if kind in settings):
        block = EditorContainer if kind == "editor" else Container
        limits[kind] = limits_of(block.model_validate(settings[kind]))
    if not limits:
        raise UserError(
            "no block of this file is complete",
            where=name,
            todo="name a whole policy, or complete one block",
        )
    own = str(document.data["name"])
    return Subject(name=own, origin=origin, hash=digest(settings), limits=limits)


def for_machine(subject: Subject, machine: Machine) -> Subject:
    """The subject with reasons for what ``machine`` lacks; missing GPUs are not asked for."""
    reasons: dict[str, list[str]] = {}
    if subject.whole is not None:
        for key, what, *_ in of_machine(subject.whole.whole, machine):
            reasons.setdefault(of_setting(key).id, []).append(f"{key}: {what}")
        if subject.whole.editor_on_host:
            why = "the policy runs Aider on the host: there is no container to test"
            reasons.setdefault("editor", []).append(why)
    limits = dict(subject.limits)
    job = limits.get("experiment")
    if job is not None and job.gpus > (machine.gpus or 0):
        cuda, cpu = _FLAVOURS
        image = cpu if job.image in {cuda, "aisci-sandbox"} else job.image
        limits["experiment"] = replace(job, gpus=0, gpu_memory=0, image=image)
        if image != job.image:
            why = f"the image {job.image} needs a GPU; {cpu} was tested instead"
            reasons.setdefault("container", []).append(why)
    unproved = tuple((control, "; ".join(whys)) for control, whys in reasons.items())
    return replace(subject, limits=limits, unproved=unproved)


def applicable_probes(
    subject: Subject, probes: tuple[Probe, ...]
) -> tuple[dict[ContainerKind, tuple[Probe, ...]], tuple[tuple[str, str], ...]]:
    """The probes for each kind of container, and (probe, reason) of those that do not apply."""
    chosen: dict[ContainerKind, tuple[Probe, ...]] = {}
    left = {probe.id: "no container of its kind" for probe in probes}
    for kind, limits in subject.limits.items():
        whys = {probe: _why_not(probe, subject, limits) for probe in probes if kind in probe.kinds}
        chosen[kind] = tuple(probe for probe, why in whys.items() if not why)
        left |= {probe.id: why for probe, why in whys.items() if why}
    run = {probe.id for selected in chosen.values() for probe in selected}
    return chosen, tuple((name, why) for name, why in left.items() if name not in run)


def _why_not(probe: Probe, subject: Subject, limits: Limits) -> str:
    runc = limits.runtime == "runc"
    lacks = {
        "allow-list": ("the policy allows no host", not limits.network),
        "gvisor": ("the policy's runtime is runc: the host's kernel answers", runc),
        "gpu": ("no GPU is granted, or there is none", not limits.gpus),
        "no gpu": ("a GPU is granted", bool(limits.gpus)),
        "whole policy": ("the file holds blocks for other policies", subject.whole is None),
        "": ("", False),
    }
    why, lacking = lacks[probe.needs]
    return why if lacking else ""
