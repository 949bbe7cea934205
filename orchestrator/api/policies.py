"""Which policy a command runs under: loaded, checked for itself, and against this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.signed_policies import require_signed_policy
from orchestrator.core.errors import BadPolicy, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Machine
from orchestrator.machine.system import measure_machine
from orchestrator.policy.ceiling import above_ceilings, machine_ceilings, require_below
from orchestrator.policy.check import PolicyFinding, check, check_machine, refuse, require_current
from orchestrator.policy.policy import Policy, load_policy
from orchestrator.record.pins import CeilingPin
from orchestrator.sandbox.gpus.nvml import NvmlDriver
from orchestrator.sandbox.images.derived import SANDBOX
from orchestrator.template.template import Template

SHIPPED = shipped_root() / "policies"
BY_SIZE = ("default", "workstation", "ci-cpu")
"""The shipped policies to try if none is named, the largest first."""


@dataclass(frozen=True, slots=True)
class ChosenPolicy:
    """A policy, and why it was chosen if none was named."""

    policy: Policy
    why: str = ""


def this_machine(folder: Path = Path()) -> Machine:
    """This machine with its GPUs; its disk is that of ``folder`` or its nearest existing parent."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    memory = [gpu.memory for gpu in NvmlDriver().devices()]
    return measure_machine(there, gpus=len(memory), gpu_memory=min(memory, default=None))


def usable_policy(name: str, results: Path) -> Policy:
    """The policy, checked for itself, for a signature where the machine asks for one, and against this machine.
    Raises :class:`BadPolicy`.
    """
    policy = load_policy(name, SHIPPED)
    refuse(policy.name, check(policy))
    require_signed_policy(policy)
    held_below(policy)
    fits(policy, results, "leave --policy out: the largest shipped policy that fits here is used")
    return policy


def held_below(policy: Policy, todo: str = "") -> tuple[CeilingPin, ...]:
    """The ceilings of this machine that hold ``policy``, for its record.

    Raises :class:`BadPolicy`, with ``todo``, where it allows more than one of them, one cannot be relied on, or
    an exception of the policy is over.
    """
    ceilings = machine_ceilings(SHIPPED)
    try:
        require_current(policy)
        require_below(policy, ceilings)
    except BadPolicy as error:
        error.todo = "; ".join(filter(None, (error.todo, todo)))
        raise
    return tuple(
        CeilingPin(file=one.origin, name=one.name, hash=one.hash, settings=one.settings)
        for one in ceilings
    )


def fits(policy: Policy, results: Path, todo: str) -> None:
    """Raise :class:`BadPolicy`, with ``todo``, if a limit is above what this machine has."""
    try:
        refuse(policy.name, check_machine(policy, this_machine(results)))
    except BadPolicy as error:
        error.todo = f"{todo}; `aisci doctor` reports what this machine has"
        raise


def chosen_policy(name: str | None, results: Path, template: Template) -> ChosenPolicy:
    """The named policy, or the largest shipped one that this machine supports.

    Raises:
        BadPolicy: the named policy does not fit this machine, or no shipped one does.
        UserError: the template needs a GPU, and the policy gives none.
    """
    chosen = named_policy(name, results)
    policy = chosen.policy
    if template.manifest.gpu == "required" and not policy.limits("experiment").gpus:
        raise UserError(
            f"the template {template.name} needs a GPU, and the policy {policy.name!r} gives none",
            where=f"{template.origin}/template.yaml: gpu; the policy's experiment.gpus.count is 0",
            why=chosen.why,
            todo="use a policy with a GPU, such as `workstation`, on a machine that has one",
        )
    return chosen


def named_policy(name: str | None, results: Path) -> ChosenPolicy:
    """The named policy, or the largest shipped one that this machine supports. Raises :class:`BadPolicy`."""
    return _largest(results) if name is None else ChosenPolicy(usable_policy(name, results))


def has_own_image(policy: Policy) -> bool:
    """Whether experiments run in an image that is not aisci's: its modules are unknown."""
    return not policy.limits("experiment").image.startswith(SANDBOX)


def _largest(results: Path) -> ChosenPolicy:
    machine, ceilings = this_machine(results), machine_ceilings(SHIPPED)
    misfits: dict[str, tuple[PolicyFinding, ...]] = {}
    for name in BY_SIZE:
        policy = load_policy(name, SHIPPED)
        above = above_ceilings(policy.document, policy.settings, ceilings)
        misfits[name] = (*check_machine(policy, machine), *above)
        if not misfits[name]:
            larger = [(other, _short(found[0])) for other, found in misfits.items() if found]
            passed = [f"{other} does not fit ({short})" for other, short in larger]
            why = "; ".join(["the largest shipped policy that this machine supports", *passed])
            return ChosenPolicy(policy, why)
    smallest = BY_SIZE[-1]
    raise BadPolicy(
        "this machine is too small for every shipped policy"
        if check_machine(load_policy(smallest, SHIPPED), machine)
        else "this machine's ceiling is below every shipped policy",
        where=f"the policies {', '.join(BY_SIZE)}",
        why="\n".join(f"{smallest}: {_short(finding)}" for finding in misfits[smallest]),
        todo=f"write a policy of your own that extends {smallest} and lowers these limits, "
        "then: --policy ./FILE.yaml",
    )


def _short(finding: PolicyFinding) -> str:
    """``experiment.resources.memory: 32GiB; this machine has 23GiB``."""
    return f"{finding.place.key}: {finding.what}"
