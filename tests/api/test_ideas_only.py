"""`aisci ideas`: a list of ideas from a kept baseline, without a container, engine or key, which runs take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.ideas_only import IdeasRequest, propose_list
from orchestrator.api.prepare import prepare
from orchestrator.console.ideas import list_ideas
from orchestrator.console.live import LiveLine
from orchestrator.console.options import View
from orchestrator.core.errors import EngineUnavailable, ResultsExist, UnknownName, UserError
from tests.support import run_rig as rig
from tests.support.kept_rig import keep_quick

PROPOSAL = """THOUGHT: a step.
```json
{{"name": "idea_{n}", "title": "The {word} question", "experiment": "{word} {word} set STEP_SIZE to 0.{n}.", "done": true}}
```"""
WORDS = ("schedule", "momentum", "curvature")
SILENT = LiveLine(View(quiet=True, as_json=False))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a kept baseline, and no engine."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    keep_quick(rig.setup(tmp_path), tmp_path)
    return tmp_path


def wanted(folder: Path, replies: int, count: int) -> IdeasRequest:
    """Of a scripted model with so many replies: one more request is an error."""
    file = folder / "replies.jsonl"
    texts = [PROPOSAL.format(n=n, word=word) for n, word in enumerate(WORDS[:replies], start=1)]
    lines = [json.dumps({"purpose": "ideas.propose", "text": text}) for text in texts]
    file.write_text("\n".join(lines))
    return IdeasRequest(
        template=rig.QUICK, model=f"scripted/{file}", count=count, scale="smoke", policy=rig.POLICY,
        results=folder / "results",
    )  # fmt: skip


def test_a_kept_baseline_gives_ideas_without_an_engine_and_a_run_takes_the_list(kept: Path) -> None:
    made = propose_list(wanted(kept, 2, 2), SILENT)
    assert (made.whole, made.measured) == (True, False)
    assert [idea.name for idea in made.ideas] == ["idea_1", "idea_2"]
    request = replace(rig.wanted(kept), ideas_file=made.file, ideas=None)
    assert prepare(request).setup.given == made.ideas


def test_the_same_command_asks_nothing_again(kept: Path) -> None:
    request = wanted(kept, 2, 2)
    made = propose_list(request, SILENT)
    Path(request.model.removeprefix("scripted/")).write_text("")
    assert propose_list(request, SILENT) == made


def test_of_what_the_model_fails_at_the_ideas_before_are_kept(kept: Path) -> None:
    made = propose_list(wanted(kept, 1, 2), SILENT)
    assert not made.whole
    assert [row["Name"] for row in json.loads(made.file.read_text())] == ["idea_1"]


def test_the_sweep_needs_no_key_and_its_list_names_the_next_command(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = replace(wanted(kept, 0, 1), model="builtin/sweep")
    assert list_ideas(request, View(quiet=True, as_json=False)) == 0
    said = capsys.readouterr().out
    assert "--from-ideas" in said
    assert said.rstrip().endswith("--only 1")
    shown = next(line.split() for line in said.splitlines() if line.startswith("1 "))
    listing = kept.glob("results/ideas/*/ideas.json")
    assert shown[1] == json.loads(next(listing).read_text())[0]["Name"]


def test_without_a_kept_baseline_it_is_measured_so_an_engine_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(EngineUnavailable):
        propose_list(wanted(tmp_path, 1, 1), SILENT)
    assert not (tmp_path / "results").exists()


def test_a_file_that_is_there_is_never_overwritten(kept: Path) -> None:
    mine = kept / "mine.json"
    mine.write_text("chosen by hand")
    with pytest.raises(ResultsExist):
        propose_list(replace(wanted(kept, 1, 1), into=mine), SILENT)
    assert mine.read_text() == "chosen by hand"


def listed(folder: Path, *names: str) -> Path:
    path = folder / "list.json"
    rows = [{"Name": name, "Title": name, "Experiment": f"try {name}"} for name in names]
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.parametrize(
    ("only", "expected"),
    [("3,1", ["c", "a"]), ("b", ["b"]), ("2, c", ["b", "c"])],
)
def test_only_takes_positions_from_one_and_names_in_the_order_of_the_request(
    only: str, expected: list[str], tmp_path: Path
) -> None:
    request = replace(
        rig.wanted(tmp_path), ideas=None, ideas_file=listed(tmp_path, "a", "b", "c"), only=only
    )
    setup = prepare(request).setup
    assert [idea.name for idea in setup.given] == expected
    assert setup.ideas == len(expected)


@pytest.mark.parametrize(
    ("only", "error", "said"),
    [("4", UnknownName, "no idea '4'"), ("0", UnknownName, "no idea '0'"),
     ("bb", UnknownName, "b"), ("1,a", UserError, "named twice"), (",", UserError, "no idea")],
)  # fmt: skip
def test_what_only_names_wrong_is_refused_before_anything_starts(
    only: str, error: type[UserError], said: str, tmp_path: Path
) -> None:
    listing = listed(tmp_path, "a", "b", "c")
    with pytest.raises(error, match=said):
        prepare(replace(rig.wanted(tmp_path), ideas=None, ideas_file=listing, only=only))


def test_only_needs_a_list_and_no_number(tmp_path: Path) -> None:
    with pytest.raises(UserError) as without:
        prepare(replace(rig.wanted(tmp_path), only="1"))
    assert "--from-ideas" in without.value.todo
    listing = listed(tmp_path, "a")
    with pytest.raises(UserError, match="how many"):
        prepare(replace(rig.wanted(tmp_path), only="1", ideas=1, ideas_file=listing))
