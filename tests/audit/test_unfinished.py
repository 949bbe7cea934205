"""A record without an end is *unfinished*, a failed run's is whole: *broken* is said of what was changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.api import reproduce, runs
from orchestrator.api.audits import audit_folder
from orchestrator.api.export import FileExporter, write_reports
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.api.run_watch import status_of
from orchestrator.audit.audit import Audit, AuditVerdict
from orchestrator.audit.chain import Anchor
from orchestrator.audit.finding import AuditFinding
from orchestrator.core.errors import BadTemplate, UserError
from orchestrator.core.model import Ask
from orchestrator.literature.sources import Sources
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import head_of
from orchestrator.record.events import Asked
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Listener, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.research.test_changes import Author, named
from tests.support import audit_rig as rig
from tests.support import run_rig
from tests.support.sample import some
from tests.support.standing_rig import held

pytestmark = pytest.mark.program  # each plays a whole run again, which is no matter of milliseconds


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unfinished") / "run"
    assert [one.status for one in rig.record(folder)] == ["finished"]
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "run"))


def as_left(recorded: Path, folder: Path, lines: int, more: bytes = b"") -> Path:
    """What a process leaves that is killed after so many lines over all journals: no file that is made at an end."""
    each = [
        (json.loads(raw)["at"], path, raw)
        for path in (recorded / "journal.jsonl", rig.idea_of(recorded))
        for raw in path.read_bytes().splitlines(keepends=True)
    ]
    shutil.rmtree(folder, ignore_errors=True)
    kept = sorted(each, key=lambda one: one[0])[:lines]
    for number, (_, path, raw) in enumerate(kept, start=1):
        own = folder / path.relative_to(recorded)
        own.parent.mkdir(parents=True, exist_ok=True)
        with own.open("ab") as file:
            file.write(raw + (more if number == lines else b""))
    for store in recorded.glob("**/blobs"):
        shutil.copytree(store, folder / store.relative_to(recorded))
    return folder


def count_lines(folder: Path) -> int:
    return sum(len(one.read_bytes().splitlines()) for one in folder.glob("**/journal.jsonl"))


def wrong(done: Audit) -> list[AuditFinding]:
    return [one for one in done.findings if one.level == "wrong"]


@pytest.mark.sampled
def test_a_run_killed_after_any_line_is_unfinished_and_never_broken(
    recorded: Path, tmp_path: Path
) -> None:
    for lines in some(range(1, count_lines(recorded)), 12):
        for more in (b"", b'{"at":"2026'):
            done = rig.whole(as_left(recorded, tmp_path / "run", lines, more))
            assert done.outcome is AuditVerdict.UNFINISHED, (lines, wrong(done))
            assert done.end.state == "unfinished"
            torn = "killed while it wrote a line" in done.end.why
            assert torn == bool(more), done.end.why


def test_a_changed_line_of_an_unfinished_run_is_broken(recorded: Path, tmp_path: Path) -> None:
    left = as_left(recorded, tmp_path / "run", count_lines(recorded) - 3)
    path = rig.idea_of(left)
    path.write_bytes(path.read_bytes().replace(b'"at":"2', b'"at":"3', 1))
    done = rig.whole(left)
    assert done.outcome is AuditVerdict.BROKEN
    assert done.ending == "", "what a changed record says of its end is not repeated"


def test_a_cut_record_is_broken_for_whoever_kept_its_head(run: Path) -> None:
    head = head_of(run / "journal.jsonl")
    path = run / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert rig.whole(run).outcome is AuditVerdict.UNFINISHED
    assert rig.whole(run, head=head).outcome is AuditVerdict.BROKEN


def test_a_run_at_work_in_another_process_is_unfinished_and_says_so(
    recorded: Path, tmp_path: Path, run: Path
) -> None:
    left = as_left(recorded, tmp_path / "left", count_lines(recorded) - 3)
    for folder in (left, run):  # a finished one is looked at again when it is done
        with held(folder):
            done = rig.whole(folder)
        assert done.outcome is AuditVerdict.UNFINISHED, wrong(done)
        assert done.end.text == "The run is not finished: another process is working on this run."
    assert rig.whole(run).outcome is AuditVerdict.CONSISTENT


def test_files_that_a_killed_process_did_not_write_yet_are_unfinished_until_somebody_kept_the_head(
    run: Path,
) -> None:
    head = head_of(run / "journal.jsonl")
    (run / "report.html").unlink()
    assert rig.whole(run).outcome is AuditVerdict.UNFINISHED
    assert rig.whole(run, head=head).outcome is AuditVerdict.BROKEN


# --- ideas that are left out ----------------------------------------------------------------


def two_ideas(ask: Ask, number: int) -> str | None:
    propose = ask.purpose == "ideas.propose"
    return named(f"idea_{number}", f"turn knob number {number}") if propose else None


class Stopped(BaseException):
    """Stands for a signal in the middle of a call."""


def stop_in_plots(event: Heard) -> None:
    if isinstance(event, Asked) and event.scope.endswith("/plots/attempt_1"):
        raise Stopped


def pursued(folder: Path, mode: Mode, listener: Listener = lambda _: None) -> None:
    """Two ideas, with containers that an audit finds as they should be."""
    rig.record(folder, mode, model=Author(two_ideas), listener=listener, ideas=2)


def test_an_idea_that_was_interrupted_and_then_left_out_leaves_a_record_that_holds(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(Stopped):
        pursued(folder, Mode.RECORD, stop_in_plots)
    listed = json.loads((folder / "ideas.json").read_text())
    begun = next(folder.glob("idea_*/journal.jsonl")).parent
    left = [row for row in listed if not begun.name.startswith(row["Name"])]
    (folder / "ideas.json").write_text(json.dumps(left))
    pursued(folder, Mode.RESUME)
    assert list((begun / "evidence").iterdir())
    done = rig.whole(folder)
    assert done.outcome is AuditVerdict.CONSISTENT, wrong(done)
    assert "its present state" in " ".join(one.what for one in done.findings)
    assert "idea_1" in (folder / "report.html").read_text()
    write_reports(str(folder), tmp_path)
    assert rig.whole(folder).outcome is AuditVerdict.CONSISTENT, wrong(rig.whole(folder))
    assert reproduce.replay(str(folder)).different == ()


# --- runs that failed -------------------------------------------------------------------------


def fail(folder: Path, mode: Mode) -> None:
    """A run whose baseline runs out of memory; its sandbox's container is as it should be."""
    made = run_rig.setup(folder.parent)

    def over(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, lambda _: Ending(exit_code=1), made.policy.hash)
        return Edges(SweepModel(), run_rig.asking_editor(blobs), sandbox, Sources())

    tools = RunDeps(edges=over, exporter=FileExporter(), listener=lambda _: None)
    with pytest.raises(BadTemplate):
        research(made, run_rig.place(folder, mode), tools)


def test_a_run_whose_baseline_failed_has_an_end_that_neither_resume_nor_report_moves(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "quick" / "20260101_000000"
    fail(folder, Mode.RECORD)
    head = head_of(folder / "journal.jsonl")
    done = audit_folder(RunPaths(folder), Anchor())
    assert done.end.state == "failed"
    assert done.end.why.startswith("baseline: the template's own experiment does not finish")
    # The scripted container is none; everything else of the record holds.
    assert {one.check for one in done.findings} <= {"evidence", "image", "settings", "kernel"}
    fail(folder, Mode.RESUME)
    write_reports(str(folder), tmp_path)
    assert head_of(folder / "journal.jsonl") == head
    assert status_of(folder, 0.0).state == "failed"
    replayed = reproduce.replay(str(folder))
    assert replayed.different == ()
    assert "report.html" in replayed.same


def test_a_failed_run_with_real_evidence_is_consistent_and_said_to_have_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_rig, "pretend", lambda _: lambda _job: Ending())
    folder = tmp_path / "run"
    with pytest.raises(BadTemplate):
        rig.record(folder)
    done = rig.whole(folder)
    assert done.outcome is AuditVerdict.CONSISTENT, wrong(done)
    assert done.end.text.startswith("The run failed: baseline: ")
    assert rig.whole(folder, head=done.head).outcome is AuditVerdict.INTACT


# --- forks of what has ended ------------------------------------------------------------------


def test_a_fork_of_a_finished_run_where_nothing_differs_is_refused_and_writes_nothing(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        files = (path for path in run.rglob("*") if path.is_file())
        return {str(one): (one.stat().st_mtime_ns, one.read_bytes()) for one in files}

    monkeypatch.setattr(runs, "connect", SimpleNamespace)
    monkeypatch.setattr(runs, "resolve_images", lambda *_: rig.IMAGES)
    before = state()
    with pytest.raises(UserError, match="nothing differs") as refused:
        runs.resume(ResumeRequest(run=str(run), fork=True))
    assert refused.value.exit_code == 2
    assert state() == before
    other = tuple((name, f"sha256:{'0' * 64}") for name, _ in rig.IMAGES)
    monkeypatch.setattr(runs, "resolve_images", lambda *_: other)
    went_on: list[object] = []
    monkeypatch.setattr(runs, "_carried_out", lambda *words: went_on.append(words))
    runs.resume(ResumeRequest(run=str(run), fork=True))
    assert went_on


def test_resuming_what_has_ended_moves_no_head(run: Path) -> None:
    before = {path: path.read_bytes() for path in run.glob("**/journal.jsonl")}
    rig.record(run, Mode.RESUME)
    assert {path: path.read_bytes() for path in run.glob("**/journal.jsonl")} == before
