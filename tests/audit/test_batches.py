"""Reviews that went out as a batch: the record of a whole run holds in an audit, also after a wait that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ModelBusy, ModelFailed
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.pins import ReviewPin
from orchestrator.research.sweep import SweepModel
from tests.support import audit_rig as rig

PANEL = ReviewPin(reviews=3, reflections=1, batch="keep")


class Together(SweepModel):
    """A sweep that takes batches at a price; the first ``lost`` looks at one are not answered."""

    def __init__(self, lost: int = 0) -> None:
        self.sent: list[int] = []
        self.lost = lost

    def batch_ceiling(self, ask: Ask) -> Usage:
        return replace(self.ceiling(ask), usd=0.02, requests=1)

    def send(self, asks: Sequence[Ask], within: Deadline) -> str:
        within.check("review")
        self.sent.append(len(asks))
        return f"batch_{len(self.sent)}"

    def collect(
        self, batch: str, asks: Sequence[Ask], within: Deadline
    ) -> tuple[Reply | ModelFailed, ...]:
        within.check(batch)
        if self.lost:
            self.lost -= 1
            raise ModelBusy("it gave no answer", where=batch, todo="`aisci resume`")
        replies = (self.complete(ask, FOREVER) for ask in asks)
        return tuple(replace(one, usage=replace(one.usage, usd=0.01)) for one in replies)


def test_a_run_with_a_batch_holds_and_is_made_again_from_its_record(tmp_path: Path) -> None:
    folder, model = tmp_path / "run", Together()
    (outcome,) = rig.record(folder, model=model, reviewing=PANEL)
    assert outcome.status == "finished", outcome.failure
    assert model.sent == [3]
    found = rig.whole(folder)
    assert found.findings == (), found.findings


def test_a_wait_that_failed_leaves_a_run_that_resume_finishes_with_the_same_batch(
    tmp_path: Path,
) -> None:
    folder, model = tmp_path / "run", Together(lost=1)
    (outcome,) = rig.record(folder, model=model, reviewing=PANEL)
    assert outcome.failure is not None
    assert (outcome.failure.stage, outcome.failure.transient) == ("review", True)
    (outcome,) = rig.record(folder, Mode.RESUME, model=model, reviewing=PANEL)
    assert outcome.failure is None
    assert model.sent == [3]
    found = rig.whole(folder)
    assert found.findings == (), found.findings
    idea = rig.idea_of(folder)
    blobs = BlobStore(idea.parent / "blobs", BlobStore(folder / "blobs"))
    asked = [one for one in steps(Journal(idea, blobs, Mode.REPLAY)) if "reviewer_" in one.scope]
    assert [one.usage.usd for one in asked] == [0.01] * 3
