"""Intact is said of the whole folder: what people pass on is the paper, the results and the pages."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.api.export import write_reports
from orchestrator.api.reproduce import replay
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.api.runs import resume
from orchestrator.audit.audit import AuditVerdict, audit_run
from orchestrator.audit.chain import Anchor
from orchestrator.core.errors import UnsafeFolder
from orchestrator.core.files import write
from orchestrator.record.chain import head_of
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.paths import RunPaths
from orchestrator.record.signing import Verifier, read_signer
from tests.record.test_signing import pem
from tests.support import audit_rig as rig
from tests.support.audit_rig import idea_of
from tests.support.audit_rig import whole as audited

pytestmark = pytest.mark.program  # each plays a whole run again, which is no matter of milliseconds


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert [one.status for one in rig.record(folder)] == ["finished"]
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "run"))


def of_idea(name: str) -> Callable[[Path], Path]:
    return lambda run: idea_of(run).parent / name


def paper(run: Path) -> Path:
    return next(idea_of(run).parent.glob("*.pdf"))


FILES: dict[str, Callable[[Path], Path]] = {
    "the paper": paper,
    "a run's results": of_idea("run_1/final_info.json"),
    "the code": of_idea("experiment.py"),
    "the review": of_idea("review.txt"),
    "an idea's page": of_idea("report.html"),
    "the run's page": lambda run: run / "report.html",
    "the ideas": lambda run: run / "ideas.json",
    "the history": lambda run: next((idea_of(run).parent / "history.git").rglob("main")),
    "a figure": lambda run: next(idea_of(run).parent.glob("*.png")),
}


def heard(run: Path) -> AuditVerdict:
    return audited(run, head=head_of(run / "journal.jsonl")).outcome


def test_a_folder_that_nobody_touched_is_intact_with_its_head(run: Path) -> None:
    assert heard(run) is AuditVerdict.INTACT


@pytest.mark.parametrize("way", ["changed", "removed"])
def test_each_file_that_was_changed_or_removed_is_named(run: Path, way: str) -> None:
    head = head_of(run / "journal.jsonl")
    touched = {name: find(run) for name, find in FILES.items()}
    for path in touched.values():
        if way == "changed":
            path.write_bytes(path.read_bytes() + b"<script>alert(1)</script>")
        else:
            path.unlink()
    done = audited(run, head=head)
    assert done.outcome is AuditVerdict.BROKEN
    found = {one.where for one in done.findings if one.check == "files"}
    assert found == {str(path.relative_to(run)) for path in touched.values()}


def test_one_changed_file_is_enough(run: Path) -> None:
    paper(run).write_bytes(b"%PDF-1.5 another")
    (found,) = audited(run, head=head_of(run / "journal.jsonl")).findings
    assert (found.check, found.where) == ("files", str(paper(run).relative_to(run)))


def test_foreign_files_are_named(run: Path) -> None:
    added = ["more/notes.txt", "more/run_9/final_info.json", "x.tex"]
    for place in added:
        (run / place).parent.mkdir(parents=True, exist_ok=True)
        (run / place).write_text("mine")
    findings = audited(run).findings
    assert sorted(one.where for one in findings) == added
    assert all("foreign" in one.what for one in findings)


@pytest.mark.parametrize(
    "place",
    [
        "more/blobs/paper.pdf",
        "more/evidence/001_baseline.json",
        "more/journal.torn",
        "more/.new-a1b2c3d4",
        ".new-paper.pdf",
        "blobs/.new-paper.pdf",
    ],
)
def test_a_foreign_file_is_named_also_in_a_place_or_under_a_name_of_the_programs_own(
    run: Path, place: str
) -> None:
    (run / place).parent.mkdir(parents=True, exist_ok=True)
    (run / place).write_text("mine")
    done = audited(run, head=head_of(run / "journal.jsonl"))
    assert done.outcome is AuditVerdict.BROKEN
    assert [(one.where, "foreign" in one.what) for one in done.findings] == [(place, True)]


@pytest.mark.parametrize("place", ["journal.torn", ".new-a1b2c3d4"])
def test_what_a_killed_process_left_is_noted_and_no_fault(run: Path, place: str) -> None:
    (run / place).write_text("half a line")
    done = audited(run, head=head_of(run / "journal.jsonl"))
    assert done.outcome is AuditVerdict.INTACT
    assert [(one.where, one.level) for one in done.findings] == [(place, "noted")]


@pytest.mark.parametrize("name", ["foreign.bin", "report.html", f"blobs/{'0' * 64}"])
def test_a_file_of_nothing_but_holes_is_a_finding_and_is_not_read_for_hours(
    run: Path, name: str
) -> None:
    (run / name).touch()
    os.truncate(run / name, 1 << 40)
    done = audited(run)
    assert done.outcome is AuditVerdict.BROKEN
    assert name in {one.where for one in done.findings}


def test_what_could_not_be_played_again_is_never_called_intact(run: Path) -> None:
    done = audit_run(
        RunPaths(run), Anchor(head=head_of(run / "journal.jsonl")), None, "another version"
    )
    assert done.outcome is AuditVerdict.CONSISTENT
    assert "not compared" in done.text
    (note,) = done.findings
    assert (note.level, note.why) == ("noted", "another version")


@pytest.mark.program
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_signature_covers_the_files_that_people_pass_on(
    run: Path, tmp_path: Path, name: str
) -> None:
    signer = read_signer(pem(tmp_path))
    made = signed_envelope(run_statement(RunPaths(run)), signer.public.fingerprint, signer.sign)
    (run / "signature.json").write_bytes(made)
    verifier: Verifier = signer.public
    assert audited(run, key=verifier).outcome is AuditVerdict.INTACT
    path = FILES[name](run)
    path.write_bytes(b"another")
    checks = {one.check for one in audited(run, key=verifier).findings if one.level == "wrong"}
    assert checks == {"anchor", "files"}


# --- a folder that you were given ---------------------------------------------------------------


@pytest.mark.parametrize("what", ["results", "journal", "store", "folder"])
def test_a_link_in_a_given_folder_is_refused_by_whatever_would_write_through_it(
    run: Path, tmp_path: Path, what: str
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    idea = idea_of(run).parent
    place = {"results": idea / "run_1", "journal": idea / "journal.jsonl", "store": idea / "blobs", "folder": idea / "more"}[what]  # fmt: skip
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(victim)
    for work in (
        lambda: resume(ResumeRequest(run=str(run))),
        lambda: replay(str(run)),
        lambda: write_reports(str(run), tmp_path),
    ):
        with pytest.raises(UnsafeFolder) as refused:
            work()
        assert str(place) in refused.value.where
    assert audited(run).outcome is AuditVerdict.BROKEN
    assert list(victim.iterdir()) == []


def test_a_read_only_record_is_replayed_and_audited_and_nothing_in_it_changes(run: Path) -> None:
    def state() -> dict[str, tuple[int, str]]:
        return {
            str(path.relative_to(run)): (
                path.stat().st_mtime_ns,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in sorted(run.rglob("*"))
            if path.is_file()
        }

    before = state()
    assert replay(str(run)).different == ()
    assert audited(run).outcome is AuditVerdict.CONSISTENT
    assert state() == before


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o027])
def test_written_files_have_the_mode_of_the_users_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


def test_a_link_that_takes_a_temporary_files_place_gets_no_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's owner swaps the file while root writes a page into it."""
    private, folder = tmp_path / "private", tmp_path / "given"
    private.write_text("secret")
    private.chmod(0o600)
    folder.mkdir()
    fdopen = os.fdopen

    def swapped(handle: int, mode: str) -> object:
        (temporary,) = folder.iterdir()
        temporary.unlink()
        temporary.symlink_to(private)
        return fdopen(handle, mode)

    monkeypatch.setattr(os, "fdopen", swapped)
    write(folder / "audit.html", "page")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert private.read_text() == "secret"
