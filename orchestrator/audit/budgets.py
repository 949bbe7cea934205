"""Money, tokens, requests and time: what the record says was used, held against the pinned policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from orchestrator.audit.calls import AuditedCall, AuditedCalls
from orchestrator.audit.finding import AuditFinding, CheckResult, check_result
from orchestrator.audit.record import UNREADABLE_BODY, RunRecord
from orchestrator.core.decode import decode
from orchestrator.core.model import Reply, Usage
from orchestrator.policy.policy import IdeaLimits, Policy, RunLimits
from orchestrator.record.events import NESTED, CallFailed
from orchestrator.record.live_use import time_at_work
from orchestrator.record.used import Used

# A call that a deadline ends is stopped a little after it, and is recorded with that.
_LATE = 1.1, 300.0  # factor, seconds

_TODO = (
    "compare it with a copy and with the vendor's bill; if both agree, the budget was not enforced: "
    "report it as SECURITY.md describes"
)


def check_budgets(
    record: RunRecord, calls: AuditedCalls, policies: tuple[Policy, ...]
) -> CheckResult:
    """Each idea against the budget and times of ``idea``, all together against those of ``run``.

    After a fork with another policy, the most that any of the policies allows counts.
    """
    found: list[AuditFinding] = []
    by_journal: defaultdict[str, Used] = defaultdict(Used)
    whole = Used()
    gpus = {id(one.call): one.limits.gpus for one in calls.containers if one.job}
    for call in calls.every:
        use, wrong = _use_of(call)
        use = replace(use, gpu_time=gpus.get(id(call), 0) * use.wall)
        by_journal[call.log.name] += use
        whole += use
        found += wrong
    if policies:
        for log in record.ideas:
            allowed = [policy.idea for policy in policies]
            found += _over(log.name, "idea", by_journal[log.name], allowed)
        with suppress(ValueError):  # times that are none are the chain's to find
            lines = (call.answered.event for call in calls.every if call.answered)
            whole = replace(whole, wall=min(whole.wall, time_at_work(lines)))  # side by side
        found += _over(record.run.name, "run", whole, [policy.run for policy in policies])
    return check_result("budget", whole.requests, found)


def _use_of(call: AuditedCall) -> tuple[Used, list[AuditFinding]]:
    """What one call used; a count below zero gives budget back, and is a fault."""
    end, event = call.answered, call.asked.event
    wall = 0.0 if end is None or event.scope.endswith(NESTED) else float(end.event.seconds)
    if event.port != "model":
        return Used(wall=wall), _negative(call, wall)
    usage = event.ceiling if end is None else Usage()
    if call.answer is not None:
        try:
            usage = decode(Reply, call.log.load(call.answer.event.body)).usage
        except (*UNREADABLE_BODY, TypeError):
            what = f"the reply to {call.name} cannot be read"
            return Used(requests=1), [AuditFinding("budget", call.where, what)]
    tokens = usage.prompt_tokens + usage.completion_tokens
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.requests, usage.usd or 0.0, wall)
    least = min(counts)
    failed = end.event if end is not None and isinstance(end.event, CallFailed) else None
    made = failed.requests if failed else max(1, usage.requests)
    use = Used(usd=usage.usd or 0.0, tokens=tokens, requests=made, wall=wall)
    return use, _negative(call, least)


def _negative(call: AuditedCall, least: float) -> list[AuditFinding]:
    if least >= 0:
        return []
    what = f"{call.name} is recorded with a use below zero: {least:g}"
    return [AuditFinding("budget", call.where, what, todo=_TODO)]


def _over(
    where: str, block: str, used: Used, limits: Sequence[IdeaLimits | RunLimits]
) -> Iterator[AuditFinding]:
    for name, key in (
        ("usd", f"{block}.budget.usd"),
        ("tokens", f"{block}.budget.tokens"),
        ("requests", f"{block}.budget.requests"),
        ("wall", f"{block}.wall"),
        ("gpu_time", f"{block}.gpu_time"),
    ):
        most, had = max(getattr(limit, name) for limit in limits), getattr(used, name)
        factor, seconds = _LATE if name in {"wall", "gpu_time"} else (1.0 + 1e-9, 0.0)
        if had > most * factor + seconds:
            what = f"more was used than {key} allows: {had:,g} of {most:,g}"
            yield AuditFinding("budget", where, what, todo=_TODO)
