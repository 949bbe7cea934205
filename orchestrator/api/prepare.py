"""Joining edges to the core: what a command asked for becomes a set-up and real edges.

Everything that a person can get wrong is found here, before a folder is made or a cent spent.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.author import open_author
from orchestrator.api.data import data_for
from orchestrator.core.errors import UserError
from orchestrator.core.files import shipped_root
from orchestrator.machine.measure import measure
from orchestrator.models.prices import prices_of
from orchestrator.policy.check import check, check_machine, refuse
from orchestrator.policy.policy import Policy, load, lowered
from orchestrator.proof.store import Shelf
from orchestrator.research.setup import Setup
from orchestrator.sandbox.gpus.leases import Driver
from orchestrator.template.contract import require
from orchestrator.template.template import Template, shipped
from orchestrator.template.template import load as load_template

LIBRARY = "library.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What ``aisci run`` was asked for, as it was written."""

    template: str
    model: str
    ideas: int
    scale: str
    policy: str
    data: Path | None
    max_usd: float | None
    results: Path
    price: str | None = None
    fresh: bool = False  # measure the baseline in this run, whatever is kept


def prepare(wanted: Wanted) -> Setup:
    """A set-up but for its images; raises :class:`UserError` and its children."""
    template = load_template(wanted.template, shipped_root())
    require(template)
    template.scale(wanted.scale)
    policy = usable_policy(wanted.policy, wanted.results)
    require_gpu(template, policy)
    proof = Shelf(wanted.results, policy.name, policy.hash).pin()  # before a budget is lowered
    if wanted.max_usd is not None:
        budgets = {"idea.budget.usd": min(wanted.max_usd, policy.idea.usd)}
        policy = lowered(policy, budgets | {"run.budget.usd": wanted.max_usd})
    model = open_author(wanted.model, environ=os.environ)
    prices = prices_of(model, wanted.price)
    return Setup(
        template=template,
        policy=policy,
        model=wanted.model,
        author=model.name,
        scale=wanted.scale,
        ideas=wanted.ideas,
        images=(),
        prices=prices,
        data=data_for(template, wanted.scale, policy, wanted.data),
        proof=proof,
    )


def usable_policy(name: str, results: Path) -> Policy:
    """The policy, checked for itself and against this machine."""
    policy = load(name, shipped_root() / "policies")
    refuse(policy.name, check(policy))
    fits(policy, results)
    return policy


def require_gpu(template: Template, policy: Policy) -> None:
    """Raise :class:`UserError` where a template that cannot do without a GPU would get none."""
    if template.manifest.gpu == "required" and not policy.limits("experiment").gpus:
        raise UserError(
            f"the template {template.name} needs a GPU, and the policy {policy.name!r} gives none",
            where=f"{template.origin}/template.yaml: gpu; the policy's experiment.gpus.count is 0",
            todo="use a policy that lends one, such as `default`",
        )


def fits(policy: Policy, results: Path) -> None:
    """Raise :class:`BadPolicy` where a limit is above what this machine has."""
    there = next(path for path in (results, *results.absolute().parents) if path.is_dir())
    gpus = len(Driver().devices()) if policy.limits("experiment").gpus else None
    refuse(policy.name, check_machine(policy, measure(there, gpus=gpus)))


def present_template(name: str, origin: str) -> Template | None:
    """The template that a record names, as it is now; None where it is not here any more."""
    root = shipped_root()
    if origin == f"templates/{name}" and name in shipped(root):
        return load_template(name, root)
    return load_template(f"{origin}/", root) if Path(origin).is_dir() else None
