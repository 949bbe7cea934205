"""Resume and replay: nothing recorded is asked twice, and the end is the same wherever it stopped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter, differences
from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import Diverged, ModelBusy
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.tree import digest
from orchestrator.record.absent import absent
from orchestrator.record.events import Recalled
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Mode
from orchestrator.research.run import research
from orchestrator.research.run_spec import Exporter, RunDeps
from orchestrator.research.sweep import SweepModel
from tests.support import run_rig as rig
from tests.support.sample import some


class Killed(BaseException):
    """Stands for SIGKILL where one process plays many deaths: nothing in the program sees it."""


@dataclass
class Counting:
    """``builtin/sweep`` that counts what it is really asked; ``failing`` makes it busy once."""

    failing: str = ""
    name: str = "builtin/sweep"
    asked: Counter[str] = field(default_factory=Counter)

    def ceiling(self, ask: Ask) -> Usage:
        return SweepModel().ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        self.asked[digest(ask)] += 1
        if ask.purpose == self.failing:
            self.failing = ""
            raise ModelBusy("busy")
        return SweepModel().complete(ask, within)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, Counter[str]]:
    """A run that nobody stopped: its folder, its number of journal lines, what it asked."""
    folder, model = tmp_path_factory.mktemp("whole") / "run", Counting()
    lines: list[Heard] = []
    outcomes = rig.run_scripted(folder, model, Mode.RECORD, lines.append)
    assert [outcome.status for outcome in outcomes] == ["finished"], outcomes[0].failure
    return folder, len(lines), model.asked


def files(folder: Path) -> dict[str, bytes]:
    """What a run leaves, but for its journals' times and what is made of them."""
    timed = ("journal.jsonl", "report.html")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in timed and "blobs" not in path.parts
    }


@pytest.mark.sampled
def test_a_run_killed_after_any_line_ends_as_if_it_had_not_been(
    whole: tuple[Path, int, Counter[str]], tmp_path: Path
) -> None:
    reference, count, asked = whole
    for at in some(range(1, count + 1), 5):
        folder, model, seen = tmp_path / f"at_{at}" / "run", Counting(), 0

        def listen(event: Heard, at: int = at) -> None:
            nonlocal seen
            seen += not isinstance(event, Recalled)
            if seen == at:
                raise Killed

        with pytest.raises(Killed):
            rig.run_scripted(folder, model, Mode.RECORD, listen)
        outcomes = rig.run_scripted(folder, model, Mode.RESUME)
        assert [outcome.status for outcome in outcomes] == ["finished"], f"killed at line {at}"
        assert files(folder) == files(reference), f"killed at line {at}"
        again = model.asked - asked
        assert sum(again.values()) <= 1, f"killed at line {at}: recorded calls were asked again"
        assert list(folder.rglob(".new-*")) == []


def test_a_resumed_end_changes_nothing(whole: tuple[Path, int, Counter[str]]) -> None:
    folder = whole[0]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    model = Counting()
    rig.run_scripted(folder, model, Mode.RESUME)
    assert not model.asked
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_transient_failure_fails_the_idea_and_resume_asks_it_again(tmp_path: Path) -> None:
    folder, model = tmp_path / "run", Counting(failing="notes.edit")
    failed = rig.run_scripted(folder, model, Mode.RECORD)[0]
    assert failed.status == "failed"
    assert failed.failure is not None
    assert failed.failure.transient
    assert (folder / next(folder.glob("sweep*")).name / "run_1" / "final_info.json").exists()
    asked = model.asked.copy()
    finished = rig.run_scripted(folder, model, Mode.RESUME)[0]
    assert finished.status == "finished"
    assert sum((model.asked - asked).values()) == sum(model.asked.values()) - sum(asked.values())
    repeated = [key for key in asked if model.asked[key] > asked[key]]
    assert len(repeated) == 1, "only the busy call is asked again"


def test_a_replay_makes_the_same_files_with_no_edge_at_all(
    whole: tuple[Path, int, Counter[str]], tmp_path: Path
) -> None:
    folder = whole[0]

    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    made = tmp_path / "again"
    research(rig.setup(tmp_path), rig.place(folder, Mode.REPLAY, made), no_edges(FileExporter()))
    same, different = differences(made, folder)
    assert different == []
    for name in ("latex/template.tex", "notes.txt", "report.html", "review.txt", "run_1.py"):
        assert any(one.endswith(name) for one in same), name
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def no_edges(saving: Exporter) -> RunDeps:
    """Tools of which only the model's name can be used."""
    return RunDeps(
        edges=lambda _: absent("builtin/sweep"), exporter=saving, listener=lambda _: None
    )


def test_a_changed_template_diverges_and_names_the_call(
    whole: tuple[Path, int, Counter[str]], tmp_path: Path
) -> None:
    made = rig.setup(tmp_path)
    changed = dict(made.template.files)
    changed["experiment.py"] = changed["experiment.py"].replace(b"POINTS = 40", b"POINTS = 41")
    other = replace(made, template=replace(made.template, files=changed))
    with pytest.raises(Diverged, match="sandbox call number 1 in 'run/baseline'"):
        research(
            other, rig.place(whole[0], Mode.REPLAY, tmp_path / "again"), no_edges(FileExporter())
        )
