"""The record of a piece of work that belongs to no run: a judged idea, the review of a PDF, a deck of slides.

The same work again is answered from its journal, so that no recorded call is paid twice.
"""

from __future__ import annotations

from orchestrator.core.research import Idea
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.chain import set_torn_tail_aside
from orchestrator.record.events import IdeaStarted
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.ports import Edges, Ports


def ports_of_own(
    paths: IdeaPaths, blobs: BlobStore, idea: Idea, edges: Edges, scope: str, usd: float | None
) -> Ports:
    """The ports of a work with a journal of its own in ``paths``, begun for ``idea``; within ``usd`` US dollars.

    A last line that was torn when the machine stopped is kept in ``journal.torn``, and its call is made again.
    """
    set_torn_tail_aside(paths.journal)
    journal = Journal(paths.journal, blobs, Mode.RESUME)
    if not journal.events:
        journal.append(IdeaStarted(id=idea.id, idea=idea))
    return Ports(edges, journal, blobs, JournalBudget(usd=usd), scope)
