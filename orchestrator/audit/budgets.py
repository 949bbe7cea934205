"""Money, tokens, requests and time: what the record says was used, held against the pinned policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.audit.calls import AuditedCall, AuditedCalls
from orchestrator.audit.finding import AuditFinding, CheckResult, check_result
from orchestrator.audit.record import UNREADABLE_BODY, RunRecord
from orchestrator.core.decode import decode
from orchestrator.core.model import Reply, Usage
from orchestrator.policy.policy import Policy
from orchestrator.record.events import NESTED

# A call that a deadline ends is stopped a little after it, and is recorded with that.
_LATE = 1.1, 300.0  # factor, seconds

_TODO = (
    "compare it with a copy and with the vendor's bill; if both agree, the budget was not enforced: "
    "report it as SECURITY.md describes"
)


@dataclass(frozen=True, slots=True)
class _Use:
    """The use of a journal's calls: US dollars as far as prices are known, tokens, calls, seconds."""

    usd: float = 0.0
    tokens: int = 0
    requests: int = 0
    wall: float = 0.0

    def __add__(self, more: _Use) -> _Use:
        return _Use(
            self.usd + more.usd,
            self.tokens + more.tokens,
            self.requests + more.requests,
            self.wall + more.wall,
        )


def check_budgets(
    record: RunRecord, calls: AuditedCalls, policies: tuple[Policy, ...]
) -> CheckResult:
    """Each idea against ``idea.budget`` and ``idea.wall``, all together against those of ``run``.

    After a fork with another policy, the most that any of the policies allows counts.
    """
    found: list[AuditFinding] = []
    whole, counted = _Use(), 0
    for log in record.logs:
        mine = [call for call in calls.every if call.log is log]
        used = _Use()
        for call in mine:
            use, wrong = _use_of(call)
            used, counted = used + use, counted + (call.asked.event.port == "model")
            found += wrong
        whole = whole + used
        if log is not record.run and policies:
            found += _over(log.name, "idea", used, [policy.idea for policy in policies])
    if policies:
        found += _over(record.run.name, "run", whole, [policy.run for policy in policies])
    return check_result("budget", counted, found)


def _use_of(call: AuditedCall) -> tuple[_Use, list[AuditFinding]]:
    """What one call used; a count below zero gives budget back, and is a fault."""
    end, event = call.answered, call.asked.event
    wall = 0.0 if end is None or event.scope.endswith(NESTED) else float(end.event.seconds)
    if event.port != "model":
        return _Use(wall=max(wall, 0.0)), _negative(call, wall)
    usage = event.ceiling if end is None else Usage()
    if call.answer is not None:
        try:
            usage = decode(Reply, call.log.load(call.answer.event.body)).usage
        except (*UNREADABLE_BODY, TypeError):
            what = f"the reply to {call.name} cannot be read"
            return _Use(requests=1), [AuditFinding("budget", call.where, what)]
    tokens = usage.prompt_tokens + usage.completion_tokens
    least = min(usage.prompt_tokens, usage.completion_tokens, usage.usd or 0.0, wall)
    return _Use(usage.usd or 0.0, tokens, 1, wall), _negative(call, least)


def _negative(call: AuditedCall, least: float) -> list[AuditFinding]:
    if least >= 0:
        return []
    what = f"{call.name} is recorded with a use below zero: {least:g}"
    return [AuditFinding("budget", call.where, what, todo=_TODO)]


def _over(where: str, block: str, used: _Use, limits: list[object]) -> Iterator[AuditFinding]:
    for name, key in (
        ("usd", f"{block}.budget.usd"),
        ("tokens", f"{block}.budget.tokens"),
        ("requests", f"{block}.budget.requests"),
        ("wall", f"{block}.wall"),
    ):
        allowed = [getattr(limit, name) for limit in limits]
        if any(most is None for most in allowed):
            continue
        most, had = max(allowed), getattr(used, name)
        factor, seconds = _LATE if name == "wall" else (1.0 + 1e-9, 0.0)
        if had > most * factor + seconds:
            what = f"more was used than {key} allows: {had:,g} of {most:,g}"
            yield AuditFinding("budget", where, what, todo=_TODO)
