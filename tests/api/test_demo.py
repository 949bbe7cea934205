"""The shipped study: this program replays it, its pages tell all of it, and nothing is overwritten."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orchestrator import __version__
from orchestrator.api import demo
from orchestrator.api.find_run import is_run
from orchestrator.core.errors import AisciError, UserError
from orchestrator.core.packed_folder import packed
from orchestrator.record.paths import RunPaths
from orchestrator.research.pins import read_pins
from orchestrator.research.prompts import prompts_hash
from tests.support.audit_rig import whole

MOST = 5 << 20  # bytes of the archive: everybody who installs aisci gets it


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> demo.DemoOutcome:
    return demo.replay_demo(tmp_path_factory.mktemp("demo") / "results")


@pytest.mark.program
def test_this_program_makes_the_shipped_study_as_it_was_recorded(shown: demo.DemoOutcome) -> None:
    """Where it does not any more: ``python -m tests.support.demo_recording`` records it again."""
    made = json.loads(demo.shipped_study()[demo.MADE])
    assert shown.same == len(made) > 50
    assert any(name.endswith("/notes.txt") for name in made)
    pins = read_pins(RunPaths(shown.folder))
    assert (pins.program, pins.prompts) == (__version__, prompts_hash())


@pytest.mark.program
def test_its_pages_tell_idea_plan_runs_changes_figures_paper_review_cost_and_containers(
    shown: demo.DemoOutcome,
) -> None:
    page = shown.idea_report.read_text()
    for part in (
        *("The idea", "Plan and outcome", "Results", "Figures", "What each run changed"),
        *("The paper", "References", "Review", "Cost and time", "Containers", "Model calls"),
    ):
        assert f">{part}</h2>" in page, part
    assert page.count("data:image/png") >= 5
    assert shown.paper.read_bytes().startswith(b"%PDF-1.")
    assert shown.paper.name in page
    assert is_run(shown.folder)
    of_the_run = shown.report.read_text()
    (link,) = re.findall(r'href="([^"]+\.pdf)"', of_the_run)
    assert (shown.folder / link).resolve() == shown.paper.resolve()
    assert re.search(r"begun \d{4}-\d\d-\d\d \d\d:\d\d UTC", of_the_run)
    assert shown.title in page


@pytest.mark.program
def test_an_audit_finds_its_record_whole(shown: demo.DemoOutcome) -> None:
    """It is the next command that a demo names."""
    done = whole(shown.folder)
    assert [(one.where, one.what) for one in done.findings if one.level == "wrong"] == []


@pytest.mark.program
def test_a_demo_that_is_there_already_is_shown_and_not_overwritten(
    shown: demo.DemoOutcome,
) -> None:
    before = shown.report.stat().st_mtime_ns
    assert demo.replay_demo(shown.folder.parents[1]) == shown
    notes = next(shown.folder.glob("*/notes.txt"))
    kept = notes.read_bytes()
    notes.write_text("changed")
    with pytest.raises(UserError, match="was changed"):
        demo.replay_demo(shown.folder.parents[1])
    notes.write_bytes(kept)
    assert shown.report.stat().st_mtime_ns == before
    assert [one.name for one in shown.folder.parent.iterdir()] == [shown.folder.name]


@pytest.mark.program
def test_a_file_that_is_made_otherwise_is_named_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = demo.shipped_study()
    made = json.loads(files[demo.MADE])
    (notes,) = (name for name in made if name.endswith("/notes.txt"))
    other = {**files, demo.MADE: json.dumps({**made, notes: "0" * 64}).encode()}
    monkeypatch.setattr(demo, "shipped_study", lambda: other)
    with pytest.raises(AisciError, match="does not make the shipped study") as caught:
        demo.replay_demo(tmp_path)
    assert notes in caught.value.where
    assert not list(tmp_path.iterdir())


def test_the_archive_is_small_and_packed_as_it_would_be_again() -> None:
    assert demo.ARCHIVE.stat().st_size < MOST
    assert set(demo.shipped_study()) >= {demo.ABOUT, demo.MADE, f"{demo.RECORD}journal.jsonl"}


def test_a_damaged_archive_is_an_error_of_the_installation(tmp_path: Path) -> None:
    broken = tmp_path / "demo_study.tar.xz"
    broken.write_bytes(packed({"about.json": b"{}"})[:-20])
    with pytest.raises(AisciError, match="cannot be read") as caught:
        demo.shipped_study(broken)
    assert "install aisci again" in caught.value.todo


def test_a_folder_that_cannot_be_written_is_named_with_its_option() -> None:
    with pytest.raises(UserError, match="cannot write to /proc/x") as caught:
        demo.replay_demo(Path("/proc/x"))
    assert caught.value.where == "--into /proc/x"


def test_a_study_that_cannot_be_made_leaves_nothing_not_even_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AisciError("it cannot be played", where="here", todo="nothing")

    monkeypatch.setattr(demo, "play_again", refuse)
    with pytest.raises(AisciError, match="cannot be played"):
        demo.replay_demo(tmp_path / "results")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").mkdir()
    with pytest.raises(AisciError, match="cannot be played"):
        demo.replay_demo(tmp_path / "kept")
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]
