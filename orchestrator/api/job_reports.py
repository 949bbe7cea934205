"""What the adapters of a run report of its jobs, as events of its listener and on its board."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.api.adapters import WAITING
from orchestrator.api.live_board import LiveBoard
from orchestrator.record.heard import JobStarts, JobWaits, Notice, Sampled
from orchestrator.record.journal import Listener
from orchestrator.sandbox.resources import OnEvent


def reported_jobs(listener: Listener, board: LiveBoard) -> OnEvent:
    """What the adapters report of a job, or of a model that is waited for, as an event and for other processes."""

    def on_event(what: str, facts: Mapping[str, object]) -> None:
        board(what, facts)
        share, scope = facts.get("share"), facts.get("scope")
        if what == "sample" and isinstance(scope, str):
            listener(Sampled(scope, share if isinstance(share, float) else None))
        elif what == "waiting" and isinstance(scope, str):
            listener(JobWaits(scope))
        elif what == "started" and isinstance(scope, str):
            left = facts.get("left")
            listener(JobStarts(scope, left if isinstance(left, float) else None))
        elif what == WAITING:
            listener(Notice(str(facts.get("text"))))

    return on_event
