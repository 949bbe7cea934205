"""What the checks of a machine come to: the policy that a run would take, what larger ones lack, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.api.policies import BY_SIZE
from orchestrator.api.readiness import READINESS
from orchestrator.machine.doctor import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineVerdict:
    """``policy`` is the one that `aisci run` takes here if none is named, or empty; ``missing`` are (policy, what
    it lacks) of the larger ones; ``next`` is what to do.
    """

    policy: str
    missing: tuple[tuple[str, str], ...]
    next: str


def machine_verdict(checks: Sequence[Check]) -> MachineVerdict:
    """The verdict over all checks, those of the shipped policies among them."""
    known = {one.name: one for one in checks if one.group == READINESS}
    chosen = next((name for name in BY_SIZE if name in known and known[name].state == "ok"), "")
    larger = BY_SIZE[: BY_SIZE.index(chosen)] if chosen else BY_SIZE
    missing = tuple((name, known[name].found) for name in larger if name in known)
    failed = next((one for one in checks if one.state == "fail"), None)
    if failed is not None:
        todo = failed.todo.partition("\n")[0]
        return MachineVerdict(
            policy=chosen, missing=missing, next=f"{failed.name} failed: {todo or failed.found}"
        )
    if chosen:
        return MachineVerdict(
            policy=chosen, missing=missing, next="aisci run grokking --scale smoke"
        )
    smallest = known.get(BY_SIZE[-1])
    todo = smallest.todo.partition("\n")[0] if smallest else "the lines above say how"
    return MachineVerdict(policy="", missing=missing, next=todo)
