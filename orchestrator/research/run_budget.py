"""The budget of a run over all its journals, as recorded and as they are written."""

from __future__ import annotations

import math

from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.chain import read_lines
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.live_use import LiveUse, time_at_work
from orchestrator.record.used import Used
from orchestrator.research.run_spec import RunLocation


def run_budget(policy: Policy, journal: Journal, live: LiveUse) -> JournalBudget:
    """What the run may use, less what ``live`` says; its own journal is followed, too."""
    live.follow(journal)
    most = policy.run
    return JournalBudget(
        of="run", usd=most.usd, tokens=most.tokens, requests=most.requests, wall=most.wall,
        gpu_time=None if math.isinf(most.gpu_time) else most.gpu_time, live=live,
    )  # fmt: skip


def live_use(location: RunLocation, shared: BlobStore) -> LiveUse:
    """The use of the run's budget: as recorded by each idea, also by removed ones; then live."""
    if location.mode not in {Mode.RESUME, Mode.FORK}:
        return LiveUse({})
    paths = sorted(location.record.folder.glob(f"*/{location.record.journal.name}"))
    stores = ((path, BlobStore(path.parent / "blobs", shared)) for path in paths)
    ideas = [Journal(path, store) for path, store in stores]
    run = [event for event, _ in read_lines(location.record.journal)]
    elapsed = time_at_work([*run, *(line for one in ideas for line in one.events)])
    return LiveUse({one.path: Used.by(one) for one in ideas}, elapsed)
