"""One recorded run per release: it can still be read, and the present release replays its own.

``unreleased`` is of the journal's form that comes with the next release.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import __version__
from orchestrator.api.export import Saver, open_journal
from orchestrator.audit import Anchor, Outcome, audit
from orchestrator.record.chain import head_of
from orchestrator.record.journal import Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.replay import absent
from orchestrator.report import idea_report
from orchestrator.research.pins import read_pins, setup_of, template_of
from orchestrator.research.run import research
from orchestrator.research.setup import Tools
from tests.support import run_rig as rig
from tests.support.places import DATA

RECORDED = DATA / "recorded"
RELEASES = sorted(path.name for path in RECORDED.iterdir())
NEXT = "unreleased"
PRESENT = [name for name in RELEASES if name in {__version__, NEXT}]
PRODUCTS = ("experiment.py", "notes.txt", "latex/template.tex", "review.txt", "run_1.py")


def test_this_release_has_a_recorded_run() -> None:
    assert {__version__, NEXT} & set(RELEASES)


@pytest.mark.parametrize("release", RELEASES)
def test_a_recorded_run_can_be_read_and_reported(release: str) -> None:
    paths = RunPaths(RECORDED / release)
    assert read_pins(paths).program == (__version__ if release == NEXT else release)
    idea = next(path.parent for path in paths.folder.glob("*/journal.jsonl"))
    journal = open_journal(IdeaPaths(idea))
    assert journal.sealed
    assert "sweep" in idea_report(journal, None)


def test_a_real_run_of_the_present_form_holds_in_an_audit_with_no_engine() -> None:
    paths = RunPaths(RECORDED / PRESENT[-1])
    done = audit(paths, Anchor(head=head_of(paths.journal)))
    assert done.findings == ()
    assert done.outcome is Outcome.INTACT
    assert {box.kind for box in done.boxes} == {"experiment", "editor", "latex"}


@pytest.mark.parametrize("release", PRESENT)
def test_this_release_replays_its_own_run_to_the_same_bytes(release: str, tmp_path: Path) -> None:
    paths = RunPaths(RECORDED / release)
    pins = read_pins(paths)
    setup = setup_of(pins, template_of(pins, paths))
    tools = Tools(edges=lambda _: absent(setup.author), saving=Saver(), listener=lambda _: None)
    outcomes = research(setup, rig.place(paths.folder, Mode.REPLAY, tmp_path), tools)
    assert [outcome.status for outcome in outcomes] == ["finished"]
    made = next(path.parent for path in tmp_path.glob("*/notes.txt"))
    for name in PRODUCTS:
        recorded = paths.folder / made.name / name
        assert (made / name).read_bytes() == recorded.read_bytes(), name
    for recorded in paths.folder.rglob("evidence/*.json"):
        again = tmp_path / recorded.relative_to(paths.folder)
        assert again.read_bytes() == recorded.read_bytes(), again.name
