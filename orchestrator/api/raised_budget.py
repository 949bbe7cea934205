"""Another budget for a run that continues: up to what its policy's file allows, with all else as recorded."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.api.policies import usable_policy
from orchestrator.core.errors import UserError
from orchestrator.core.units import time_text
from orchestrator.policy.policy import Policy, lowered, without_budgets
from orchestrator.proof.store import ProofStore
from orchestrator.record.pins import Pins, PolicyPin
from orchestrator.research.run_spec import RunSpec

_FORK = "with another policy the run continues as a new branch: `aisci resume RUN --fork --policy ./FILE.yaml`"


def with_budget(
    setup: RunSpec, pins: Pins, usd: float | None, results: Path, gpu_time: float | None = None
) -> RunSpec:
    """``setup`` with ``usd`` US dollars and ``gpu_time`` GPU seconds for the run, and no more than that for an
    idea; None leaves what is recorded.

    Raises:
        UserError: the policy's file allows less, or differs in more than these from the recorded one.
    """
    file = usable_policy(_name(pins.policy), results)
    usd = setup.policy.run.usd if usd is None else usd
    gpu_time = setup.policy.run.gpu_time if gpu_time is None else gpu_time
    for option, wanted, most in (
        (f"--max-usd {usd:g}", usd, (file.run.usd, " US dollars")),
        (f"--max-gpu-time {gpu_time:g}s", gpu_time, (file.run.gpu_time, " seconds of GPUs")),
    ):
        if wanted > most[0]:
            raise UserError(
                f"the policy {file.name!r} allows {most[0]:g}{most[1]} a run",
                where=option,
                why="a budget can be raised up to what the policy's file allows",
                todo=_FORK,
            )
    if without_budgets(file.settings) != without_budgets(setup.policy.settings):
        raise UserError(
            f"the policy {file.name!r} was changed since the run began",
            where=f"{file.origin}: {file.name}",
            why="its settings differ from the recorded ones in more than the budget",
            todo=_FORK,
        )
    proof = ProofStore(results, file.name, file.hash).pin()
    return replace(setup, policy=with_less(file, usd, gpu_time), proof=proof)


def with_less(policy: Policy, usd: float | None, gpu_time: float | None) -> Policy:
    """``policy`` with these limits for the run and for each idea; None leaves its own. Raises :class:`UserError`
    where it allows less.
    """
    less: dict[str, Any] = {}
    if usd is not None:
        less |= {"run.budget.usd": usd, "idea.budget.usd": min(usd, policy.idea.usd)}
    if gpu_time is not None and not math.isinf(gpu_time):
        own = min(gpu_time, policy.idea.gpu_time)
        less |= {"run.gpu_time": time_text(gpu_time), "idea.gpu_time": time_text(own)}
    return lowered(policy, less) if less else policy


def _name(pin: PolicyPin) -> str:
    """How the recorded policy is named on a command line."""
    return pin.name if pin.origin == "shipped" else str(Path(pin.origin).absolute())
