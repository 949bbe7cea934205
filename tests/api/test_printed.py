"""What experiments printed lies beside their results, is made anew by a replay, and reaches no container."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.api import reproduce
from orchestrator.api.export import FileExporter
from orchestrator.api.printed import PRINTED, write_printed
from orchestrator.core.job import Job
from orchestrator.literature.sources import Sources
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.support import run_rig as rig
from tests.support.standing_rig import idea_journal

pytestmark = pytest.mark.program  # plays a whole run again


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose experiments print, also what acts on a terminal."""
    made = tmp_path_factory.mktemp("printed") / "quick" / "20260101_000000"

    def over(blobs: BlobStore) -> Edges:
        inner = rig.pretend(blobs)

        def ending(job: Job) -> Ending:
            end = inner(job)
            said = f"step 1 of {job.argv[-1]}\n\x1b[2J"
            return Ending(files=end.files, seconds=1.0, stdout=said, stderr="a warning")

        sandbox = ScriptedSandbox(blobs, ending)
        return Edges(SweepModel(), rig.asking_editor(blobs), sandbox, Sources())

    tools = RunDeps(edges=over, exporter=FileExporter(), listener=lambda _: None)
    (outcome,) = research(rig.setup(made.parent.parent), rig.place(made, Mode.RECORD), tools)
    assert outcome.status == "finished"
    return made


def test_each_run_has_what_its_container_printed_with_nothing_that_acts_on_a_terminal(
    folder: Path,
) -> None:
    idea = idea_journal(folder).parent
    for run in ("run_0", "run_1"):
        text = (idea / run / PRINTED).read_text()
        assert f"step 1 of --out_dir={run}\n\\x1b[2J" in text
        assert "--- standard error, its end as recorded ---\na warning\n" in text
    assert "finished, exit code 0" in (idea / "run_1" / PRINTED).read_text()


def test_a_replay_makes_the_same_bytes(folder: Path) -> None:
    done = reproduce.replay(str(folder))
    assert done.different == ()
    idea = idea_journal(folder).parent.name
    assert {f"{idea}/run_0/{PRINTED}", f"{idea}/run_1/{PRINTED}"} <= set(done.same)


def test_no_request_names_the_file(folder: Path) -> None:
    for path in (folder / "journal.jsonl", idea_journal(folder)):
        for line in map(json.loads, path.read_text().splitlines()):
            assert PRINTED not in json.dumps(line)
    assert not any(PRINTED.encode() in path.read_bytes() for path in folder.glob("**/blobs/*"))


def test_what_a_run_printed_that_a_fork_left_is_removed(folder: Path, tmp_path: Path) -> None:
    own = IdeaPaths(tmp_path / "idea")
    (own.folder / "run_7").mkdir(parents=True)
    (own.folder / "run_7" / PRINTED).write_text("of before")
    store = BlobStore(folder / "blobs")
    path = idea_journal(folder)
    write_printed(own, Journal(path, BlobStore(path.parent / "blobs", store), Mode.REPLAY), None)
    assert (own.folder / "run_1" / PRINTED).is_file()
    assert not (own.folder / "run_7" / PRINTED).exists()
