"""The limits of a policy as budgets for the journals of a run and of an idea."""

from __future__ import annotations

from orchestrator.policy.policy import Policy
from orchestrator.record.budget import JournalBudget


def run_budget(policy: Policy) -> JournalBudget:
    """The budget of all calls of a run."""
    limits = policy.run
    return JournalBudget(
        of="run",
        usd=limits.usd,
        tokens=limits.tokens,
        requests=limits.requests,
        wall=limits.wall,
    )


def idea_budget(policy: Policy) -> JournalBudget:
    """The budget of the calls of one idea."""
    limits = policy.idea
    return JournalBudget(
        of="idea",
        usd=limits.usd,
        tokens=limits.tokens,
        requests=limits.requests,
        wall=limits.wall,
        gpu_time=limits.gpu_time,
    )
