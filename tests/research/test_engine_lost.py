"""An engine that fails is no attempt of an idea: the same attempt is made when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import EngineFailed
from orchestrator.core.job import Job, JobResult
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import StageFailed
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.research.test_changes import Author, same_again
from tests.support import run_rig as rig
from tests.support.paper_rig import TWO_PAPERS

pytestmark = pytest.mark.program


class _Failing:
    """A sandbox whose engine breaks off at each job of the scope that ends so, ``times`` times."""

    def __init__(self, real: ScriptedSandbox, scope: str, left: list[int]) -> None:
        self._real, self._scope, self._left = real, scope, left

    def run(self, job: Job, within: Deadline = FOREVER) -> JobResult:
        if job.scope.endswith(self._scope) and self._left[0]:
            self._left[0] -= 1
            raise EngineFailed("the engine broke off", where=job.scope, todo="resume")
        return self._real.run(job, within)


def go(folder: Path, mode: Mode, scope: str, left: list[int]) -> tuple[PursuedIdea, ...]:
    author = Author()

    def over(blobs: BlobStore) -> Edges:
        sandbox = _Failing(ScriptedSandbox(blobs, rig.pretend(blobs)), scope, left)
        return Edges(author, rig.asking_editor(blobs), sandbox, TWO_PAPERS)

    tools = RunDeps(edges=over, exporter=FileExporter(), listener=lambda _: None)
    return research(rig.setup(folder.parent), rig.place(folder, mode), tools)


@pytest.mark.parametrize("scope", ["run_1/attempt_1", "plots/attempt_1"])
def test_the_attempt_at_which_the_engine_failed_is_made_again_and_counted_once(
    scope: str, tmp_path: Path
) -> None:
    folder, left = tmp_path / "run", [3]
    for mode in (Mode.RECORD, Mode.RESUME, Mode.RESUME):
        (outcome,) = go(folder, mode, scope, left)
        assert outcome.failure is not None
        assert (outcome.status, outcome.failure.error) == ("failed", "EngineFailed")
        assert outcome.failure.transient
    (outcome,) = go(folder, Mode.RESUME, scope, left)
    assert (outcome.status, outcome.failure) == ("finished", None)
    assert [run.attempts for run in outcome.study.runs] == [1] * len(outcome.study.runs)
    (own,) = folder.glob("*/journal.jsonl")
    journal = Journal(
        own, BlobStore(own.parent / "blobs", BlobStore(folder / "blobs")), Mode.REPLAY
    )
    assert not any("attempt_2" in getattr(line, "scope", "") for line in journal.events)
    assert journal.notes(StageFailed, below="idea")
    same_again(folder, tmp_path / "again")
