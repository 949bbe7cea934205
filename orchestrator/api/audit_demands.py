"""What is asked of a run besides that its record holds: its policy, the machine's ceiling, the age of its proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from orchestrator.api.policies import SHIPPED
from orchestrator.audit.audit import Audit
from orchestrator.audit.demand import Demand
from orchestrator.audit.pins import HeldPins
from orchestrator.core.units import time_text
from orchestrator.policy.ceiling import machine_ceilings
from orchestrator.policy.check import ceiling_of
from orchestrator.policy.compare import shown_setting, weaker
from orchestrator.policy.policy import Policy

_BAD_PROOFS = {"did not hold", "not tried"}


@dataclass(frozen=True, slots=True)
class Demanded:
    """``policies`` that the run's may not exceed, those of this machine last; ``max_proof_age`` in seconds."""

    policies: tuple[tuple[str, Policy, bool], ...] = ()
    max_proof_age: float | None = None


def read_demands(no_weaker_than: str | None, max_proof_age: float | None) -> Demanded:
    """The demands, before a record is read.

    Raises :class:`UserError` for a policy that cannot be compared with, :class:`BadPolicy` for a ceiling of
    this machine that cannot be relied on.
    """
    asked: list[tuple[str, Policy, bool]] = []
    if no_weaker_than is not None:
        named = ceiling_of(no_weaker_than, SHIPPED)
        asked.append((f"no weaker than {no_weaker_than}", named, True))
    asked += [
        (f"below this machine's ceiling {one.origin}", one, False)
        for one in machine_ceilings(SHIPPED)
    ]
    return Demanded(tuple(asked), max_proof_age)


def demands_of(audit: Audit, asked: Demanded) -> tuple[Demand, ...]:
    """Each demand with what does not meet it. A record without a readable policy meets none."""
    found = [
        Demand(what, required, _each(audit, partial(_above, policy)))
        for what, policy, required in asked.policies
    ]
    age = asked.max_proof_age
    if age is not None:
        what = f"proved at most {time_text(age)} before"
        found.append(Demand(what, required=True, unmet=_each(audit, partial(_unproved, age))))
    return tuple(found)


def _each(audit: Audit, unmet: Callable[[HeldPins], Iterable[str]]) -> tuple[str, ...]:
    if not audit.pinned:
        return ("the record has no readable policy",)
    return tuple(f"{held.line.where}: {why}" for held in audit.pinned for why in unmet(held))


def _above(ceiling: Policy, held: HeldPins) -> Iterable[str]:
    if held.policy is None:
        return ["its policy cannot be read"]
    return [
        f"{one.key}: there {shown_setting(one.before)}; here {shown_setting(one.after)}"
        for one in weaker(ceiling.settings, held.settings)
    ]


def _unproved(age: float, held: HeldPins) -> Iterable[str]:
    """Why the proof that was the newest when the run began, or was forked, is none or too old."""
    proof = held.pins.proof
    newest = proof.newest if proof else None
    if newest is None:
        return ["the policy had no proof on that machine"]
    if newest.outcome in _BAD_PROOFS:
        return [f"its proof of {newest.at[:10]} says: {newest.outcome}"]
    try:
        began, proved = (
            datetime.fromisoformat(held.line.event.at),
            datetime.fromisoformat(newest.at),
        )
        old = (began - proved).total_seconds()
    except (TypeError, ValueError):
        return ["the time of its proof cannot be read"]
    if not 0 <= old <= age:
        return [f"its newest proof is of {newest.at[:10]}, and the run of {began.date()}"]
    return []
