"""How many ideas are in flight, on which GPUs, and one teller of what they do."""

from __future__ import annotations

import threading

from orchestrator.core.errors import UserError
from orchestrator.core.model import SWEEP
from orchestrator.core.units import size_text
from orchestrator.policy.policy import Policy
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Listener
from orchestrator.research.run_spec import RunSpec
from orchestrator.sandbox.gpus.choice import all_gpus, gpu_choice
from orchestrator.sandbox.gpus.nvml import Nvml, NvmlDriver

_HEADS = 2
"""Ideas for each container, where a model thinks: while it does, an idea holds no container."""
_MOST = 32


def ideas_in_flight(setup: RunSpec, asked: int | None) -> int:
    """As many as were asked for; else those that keep the run's containers busy, and no more than ideas.

    A run whose next idea depends on the scores of those before it has one, unless more are asked for.
    """
    count = len(setup.given) or setup.ideas
    if asked is not None:
        return min(asked, count)
    if setup.open_ended:
        return 1
    containers = setup.policy.run.containers
    most = containers if setup.model == SWEEP else _HEADS * containers
    return max(1, min(count, most, _MOST))


def require_gpus(asked: str, policy: Policy, nvml: Nvml | None = None) -> None:
    """Raise :class:`UserError` if ``--gpus`` names some that are not here, or the policy gives a job none."""
    choice = gpu_choice(asked)
    if choice is all_gpus:
        return
    if not policy.limits("experiment").gpus:
        raise UserError(
            "this policy gives an experiment no GPU",
            where=f"--gpus {asked[:80]!a}, policy {policy.name}",
            todo="leave --gpus out, or name a policy whose gpus.count is not 0",
        )
    choice((nvml or NvmlDriver()).devices())


def flight_notice(setup: RunSpec, count: int) -> str:
    """What ``count`` ideas in flight may take of this machine together, as the policy allows."""
    run = setup.policy.run
    return (
        f"{count} ideas in flight; at most {run.containers} containers at once, which may take "
        f"{size_text(run.memory)} of memory and {size_text(run.disk)} of disk together"
    )


def one_teller(listener: Listener) -> Listener:
    """``listener``, called by one thread at a time."""
    turn = threading.Lock()

    def tell(event: Heard) -> None:
        with turn:
            listener(event)

    return tell
