"""A policy's limits as budgets: for a run's journal, and for an idea's."""

from __future__ import annotations

from orchestrator.policy.policy import Policy
from orchestrator.record.budget import JournalBudget


def run_budget(policy: Policy) -> JournalBudget:
    """The run's own limits as a budget for its journal."""
    limits = policy.run
    return JournalBudget(
        of="run",
        usd=limits.usd,
        tokens=limits.tokens,
        requests=limits.requests,
        wall=limits.wall,
    )


def idea_budget(policy: Policy) -> JournalBudget:
    """An idea's limits as a budget for its journal."""
    limits = policy.idea
    return JournalBudget(
        of="idea",
        usd=limits.usd,
        tokens=limits.tokens,
        requests=limits.requests,
        wall=limits.wall,
        gpu_time=limits.gpu_time,
    )
