"""Another budget for a run that continues: up to what its policy's file allows, with all else as recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.api.policies import usable_policy
from orchestrator.core.errors import UserError
from orchestrator.policy.policy import Policy, lowered
from orchestrator.proof.store import ProofStore
from orchestrator.record.pins import Pins, PolicyPin
from orchestrator.research.run_spec import RunSpec

_FORK = "with another policy the run continues as a new branch: `aisci resume RUN --fork --policy ./FILE.yaml`"


def with_budget(setup: RunSpec, pins: Pins, usd: float, results: Path) -> RunSpec:
    """``setup`` with ``usd`` US dollars for the run, and no more than that for an idea.

    Raises:
        UserError: the policy's file allows less, or differs in more than the budget from the recorded one.
    """
    file = usable_policy(_name(pins.policy), results)
    if usd > file.run.usd:
        raise UserError(
            f"the policy {file.name!r} allows {file.run.usd:g} US dollars a run",
            where=f"--max-usd {usd:g}",
            why="a budget can be raised up to what the policy's file allows",
            todo=_FORK,
        )
    if _without_budgets(file) != _without_budgets(setup.policy):
        raise UserError(
            f"the policy {file.name!r} was changed since the run began",
            where=f"{file.origin}: {file.name}",
            why="its settings differ from the recorded ones in more than the budget",
            todo=_FORK,
        )
    budgets = {"run.budget.usd": usd, "idea.budget.usd": min(usd, file.idea.usd)}
    proof = ProofStore(results, file.name, file.hash).pin()
    return replace(setup, policy=lowered(file, budgets), proof=proof)


def _name(pin: PolicyPin) -> str:
    """How the recorded policy is named on a command line."""
    return pin.name if pin.origin == "shipped" else str(Path(pin.origin).absolute())


def _without_budgets(policy: Policy) -> dict[str, Any]:
    settings = policy.settings
    for block in ("run", "idea"):
        settings[block] = {**settings[block], "budget": {**settings[block]["budget"], "usd": None}}
    return settings
