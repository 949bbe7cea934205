"""A raised number of ideas: more are proposed or taken from the list, and nothing recorded is asked again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.resume_changes import changed_setup
from orchestrator.api.resume_request import ResumeRequest, require_sound
from orchestrator.audit.audit import audit_run
from orchestrator.core.errors import BadFile, ModelBusy, UserError
from orchestrator.core.model import Ask
from orchestrator.core.research import Idea
from orchestrator.record.journal import Mode
from orchestrator.record.paths import RunPaths
from orchestrator.research.pins import read_pins
from tests.research.test_changes import Author, go, numbered, pinned, same_again
from tests.support import run_rig as rig

pytestmark = pytest.mark.program


def grown(folder: Path, count: int, author: Author, **more: Any) -> list[str]:
    """The names of the ideas of the run in ``folder`` after it was asked for ``count`` in all."""
    spec = pinned(folder)
    request = ResumeRequest(ideas=count, **more)
    changed = changed_setup(spec, read_pins(RunPaths(folder)), request, RunPaths(folder))
    outcomes = go(folder, author, Mode.FORK, ideas=changed.ideas, given=changed.given)
    return [one.study.idea.name for one in outcomes]


def named_ideas(*names: str) -> tuple[Idea, ...]:
    return tuple(
        Idea(name=name, title=f"A title of {name}", experiment=f"turn {name}") for name in names
    )


def test_more_ideas_are_proposed_and_nothing_recorded_is_asked_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author(numbered), ideas=2)
    again = Author(lambda ask, number: numbered(ask, number + 2))
    assert grown(folder, 4, again) == ["idea_1", "idea_2", "idea_3", "idea_4"]
    assert again.asked["ideas.propose"] == 2
    assert read_pins(RunPaths(folder)).ideas == 4
    rows = json.loads((folder / "ideas.json").read_text())
    assert [row["Name"] for row in rows] == ["idea_1", "idea_2", "idea_3", "idea_4"]
    same_again(folder, tmp_path / "again")
    held = {"chain", "seal", "blobs", "calls", "policy", "budget"}
    assert not [one for one in audit_run(RunPaths(folder)).findings if one.check in held]
    nothing = Author(numbered)
    go(folder, nothing, Mode.RESUME, ideas=4)
    assert nothing.asked.total() == 0


def test_a_stop_while_more_are_proposed_leaves_no_edit_behind(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author(numbered), ideas=1)

    def stop(ask: Ask, _number: int) -> str | None:
        if ask.purpose == "ideas.propose":
            raise KeyboardInterrupt
        return None

    with pytest.raises(KeyboardInterrupt):
        grown(folder, 2, Author(stop))
    assert len(json.loads((folder / "ideas.json").read_text())) == 1
    rest = Author(lambda ask, number: numbered(ask, number + 1))
    outcomes = go(folder, rest, Mode.RESUME, ideas=2)
    assert [one.study.idea.name for one in outcomes] == ["idea_1", "idea_2"]
    same_again(folder, tmp_path / "again")


def test_ideas_that_a_model_left_are_asked_for_by_a_fork_too(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def fails(ask: Ask, number: int) -> str | None:
        if ask.purpose == "ideas.propose" and number > 2:
            raise ModelBusy("busy")
        return numbered(ask, number)

    assert len(go(folder, Author(fails), ideas=3)) == 2
    rest = Author(lambda ask, number: numbered(ask, number + 2))
    outcomes = go(folder, rest, Mode.FORK, ideas=3)
    assert [one.study.idea.name for one in outcomes] == ["idea_1", "idea_2", "idea_3"]


def test_a_run_of_a_list_takes_the_next_ones_of_it(tmp_path: Path) -> None:
    folder, every = tmp_path / "run", named_ideas("a", "b", "c")
    go(folder, Author(), ideas=1, given=every[1:2])
    listing = tmp_path / "list.json"
    rows = [{"Name": i.name, "Title": i.title, "Experiment": i.experiment} for i in every]
    listing.write_text(json.dumps(rows))
    with pytest.raises(UserError, match="ideas of a list") as which:
        grown(folder, 2, Author())
    assert "--from-ideas FILE" in which.value.todo
    with pytest.raises(UserError, match="2 ideas that this run has not"):
        grown(folder, 4, Author(), ideas_file=listing)
    author = Author()
    assert grown(folder, 3, author, ideas_file=listing) == ["b", "a", "c"]
    assert author.asked["ideas.propose"] == 0
    same_again(folder, tmp_path / "again")


def test_a_list_that_a_person_edited_does_not_grow_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author(numbered), ideas=2)
    path = folder / "ideas.json"
    path.write_text(json.dumps(json.loads(path.read_text())[:1]))
    author = Author(numbered)
    with pytest.raises(BadFile) as refused:
        grown(folder, 3, author)
    assert "aisci resume" in refused.value.todo
    assert author.asked["ideas.propose"] == 0


def test_a_smaller_number_is_refused_and_the_same_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author(numbered), ideas=2)
    spec, pins, paths = pinned(folder), read_pins(RunPaths(folder)), RunPaths(folder)
    assert changed_setup(spec, pins, ResumeRequest(ideas=2), paths) == spec
    with pytest.raises(UserError, match="has 2 ideas"):
        changed_setup(spec, pins, ResumeRequest(ideas=1), paths)


def test_another_model_wants_a_fork_which_keeps_the_ideas(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        require_sound(ResumeRequest(model="builtin/other"))
    assert "--fork --model" in refused.value.todo
    folder = tmp_path / "run"
    go(folder, Author(numbered), ideas=2)
    script = tmp_path / "replies.jsonl"
    script.write_text("")
    request = ResumeRequest(fork=True, model=f"scripted/{script}")
    require_sound(request)
    changed = changed_setup(pinned(folder), read_pins(RunPaths(folder)), request, RunPaths(folder))
    assert changed.model == f"scripted/{script}"
    assert [idea.name for idea in changed.given] == ["idea_1", "idea_2"]
    other = Author(name=changed.author)
    fields = ("model", "prices", "sees", "given", "ideas")
    outcomes = go(folder, other, Mode.FORK, **{name: getattr(changed, name) for name in fields})
    assert [one.status for one in outcomes] == ["finished", "finished"]
    assert other.asked["ideas.propose"] == 0
    assert other.asked["review.form"] == 2
    assert read_pins(RunPaths(folder)).model().name == f"scripted/{script}"
    same_again(folder, tmp_path / "again", changed.author)


def test_a_price_is_changed_without_a_fork_and_a_number_needs_its_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    spec = rig.setup(tmp_path, model="openai/mine")
    request = ResumeRequest(price="1,2")
    require_sound(request)
    changed = changed_setup(spec, None, request, RunPaths(tmp_path))  # type: ignore[arg-type]
    assert dict(changed.prices)["output_cost_per_token"] == pytest.approx(2e-6)
    assert replace(changed, prices=spec.prices) == spec
    with pytest.raises(UserError, match="need a number"):
        require_sound(ResumeRequest(ideas_file=tmp_path / "list.json"))
