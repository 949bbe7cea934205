"""The limits of a policy as budgets for the journals of a run and of an idea."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from orchestrator.policy.policy import IdeaLimits, Policy, RunLimits
from orchestrator.record.budget import JournalBudget


def run_budget(policy: Policy) -> JournalBudget:
    """The budget of all calls of a run."""
    return _budget("run", policy.run)


def idea_budget(policy: Policy) -> JournalBudget:
    """The budget of the calls of one idea."""
    return replace(_budget("idea", policy.idea), gpu_time=policy.idea.gpu_time)


def _budget(of: Literal["idea", "run"], limits: IdeaLimits | RunLimits) -> JournalBudget:
    usd, tokens, requests = limits.usd, limits.tokens, limits.requests
    return JournalBudget(of=of, usd=usd, tokens=tokens, requests=requests, wall=limits.wall)
