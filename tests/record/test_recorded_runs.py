"""One recorded run stays with the tests: it can be read, it holds, and it is replayed as it was."""

from __future__ import annotations

from pathlib import Path

from orchestrator import __version__
from orchestrator.api.export import FileExporter, open_journal
from orchestrator.api.reproduce import reproduced
from orchestrator.audit.audit import AuditVerdict, audit_run
from orchestrator.audit.chain import Anchor
from orchestrator.record.absent import absent
from orchestrator.record.chain import head_of
from orchestrator.record.journal import Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.report import idea_report
from orchestrator.research.pins import read_pins, spec_of, template_of
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from tests.support import run_rig as rig
from tests.support.recorded import QUICK, pack

PRODUCTS = ("experiment.py", "notes.txt", "latex/template.tex", "review.txt", "run_1.py")


def test_it_is_this_releases_and_can_be_read_and_reported(quick_run: Path) -> None:
    paths = RunPaths(quick_run)
    assert read_pins(paths).program == __version__
    idea = next(path.parent for path in paths.folder.glob("*/journal.jsonl"))
    journal = open_journal(IdeaPaths(idea))
    assert journal.sealed
    assert "sweep" in idea_report(journal, None)


def test_it_holds_in_an_audit_with_no_engine(quick_run: Path) -> None:
    paths = RunPaths(quick_run)
    made = reproduced(paths)
    kept = {name: sha256 for name, sha256 in made.items() if (quick_run / name).exists()}
    assert len(kept) > 20, "the archive holds no pictures and pages, to stay small"
    done = audit_run(paths, Anchor(head=head_of(paths.journal)), kept)
    assert done.findings == ()
    assert done.outcome is AuditVerdict.INTACT
    assert {box.kind for box in done.containers} == {"experiment", "editor", "latex"}


def test_this_release_replays_it_to_the_same_bytes(quick_run: Path, tmp_path: Path) -> None:
    paths = RunPaths(quick_run)
    pins = read_pins(paths)
    setup = spec_of(pins, template_of(pins, paths))
    tools = RunDeps(
        edges=lambda _: absent(setup.author), exporter=FileExporter(), listener=lambda _: None
    )
    outcomes = research(setup, rig.place(paths.folder, Mode.REPLAY, tmp_path), tools)
    assert [outcome.status for outcome in outcomes] == ["finished"]
    made = next(path.parent for path in tmp_path.glob("*/notes.txt"))
    for name in PRODUCTS:
        recorded = paths.folder / made.name / name
        assert (made / name).read_bytes() == recorded.read_bytes(), name
    for recorded in paths.folder.rglob("evidence/*.json"):
        again = tmp_path / recorded.relative_to(paths.folder)
        assert again.read_bytes() == recorded.read_bytes(), again.name


def test_packed_again_it_is_the_same_file(quick_run: Path, tmp_path: Path) -> None:
    pack(quick_run, tmp_path / "again.tar.xz")
    assert (tmp_path / "again.tar.xz").read_bytes() == QUICK.read_bytes()
