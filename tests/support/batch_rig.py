"""A review of a paper by a panel whose requests go out as a batch; also as a process that a test may kill::

    python -m tests.support.batch_rig FOLDER MODEL

The model's address and key are in the environment. At its end it says the overall scores.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from orchestrator.core.model import REVIEWING
from orchestrator.core.papers import Review
from orchestrator.models import batching
from orchestrator.models.batching import BatchingModel
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import LitellmModel
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.events import IdeaForked
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.stages.panel import review_all
from orchestrator.research.stages.review import UnderReview
from tests.support.journal_rig import idea_started

Reviews = tuple[tuple[Review, ...], Review | None]


def batching_edges(
    name: str, tell: Callable[[str], None] = print, *, cancels: bool = False
) -> Edges:
    """Edges whose reviewer sends batches, and has nothing else behind it."""
    timing = RetryTiming(tell=tell)
    model = LitellmModel(name, os.environ, RetryPolicy(tries=1), timing)
    none = absent(name)
    roles = {REVIEWING: BatchingModel(model, os.environ, timing, cancels=cancels)}
    return Edges(none.model, none.editor, none.sandbox, none.literature, roles)


def ports_of(folder: Path, edges: Edges, mode: Mode, budget: JournalBudget | None = None) -> Ports:
    """The ports of an idea whose record is in ``folder``."""
    blobs = BlobStore(folder / "blobs")
    journal = Journal(folder / "journal.jsonl", blobs, mode)
    if not journal.events:
        journal.append(idea_started())
    if mode is Mode.FORK:
        journal.append(IdeaForked())
    return Ports(edges, journal, blobs, budget or JournalBudget(), "idea/x")


def reviewed(ports: Ports, rules: ReviewPin) -> Reviews:
    """What the panel says of a paper of one page."""
    return review_all(UnderReview(("A page.",), (), rules), ports.within("review"))


def main(folder: Path, name: str) -> None:
    batching.FIRST_LOOK = 0.05
    mode = Mode.RESUME if (folder / "journal.jsonl").exists() else Mode.RECORD
    ports = ports_of(folder, batching_edges(name), mode)
    reviews, _ = reviewed(ports, ReviewPin(reviews=3, reflections=0, batch="keep"))
    print("overall", *(one.overall for one in reviews), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
