"""The use of calls that a journal records."""

from __future__ import annotations

from dataclasses import dataclass, fields

from orchestrator.record.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The use of calls: US dollars where a price is known, tokens, requests, seconds."""

    usd: float = 0.0
    tokens: int = 0
    requests: int = 0
    wall: float = 0.0
    gpu_time: float = 0.0

    @classmethod
    def by(cls, journal: Journal) -> Used:
        """The use that one journal records."""
        total = journal.ledger.total()
        return cls(
            usd=total.usd or 0.0,
            tokens=total.prompt_tokens + total.completion_tokens,
            requests=journal.ledger.requests,
            wall=journal.ledger.seconds,
            gpu_time=journal.ledger.gpu_seconds,
        )

    def __add__(self, more: Used) -> Used:
        names = (field.name for field in fields(self))
        return Used(**{name: getattr(self, name) + getattr(more, name) for name in names})
