"""An idea is named by its folder, by its run and the beginning of its name, or by a run that has it alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.api.find_run import JOURNAL, find_idea
from orchestrator.core.errors import UnknownName
from tests.research.test_changes import Author, go, numbered

pytestmark = pytest.mark.program


def made(results: Path, ideas: int) -> Path:
    folder = results / "quick" / "20260101_000000"
    folder.mkdir(parents=True)
    go(folder, Author(numbered), ideas=ideas)
    return folder


def test_each_way_to_name_an_idea_finds_it(tmp_path: Path) -> None:
    folder = made(tmp_path, 2)
    first, second = sorted(path.parent for path in folder.glob(f"*/{JOURNAL}"))
    for name in (str(second), f"latest/{second.name}", "latest/idea_2", f"{folder}/idea_2"):
        run, idea = find_idea(name, tmp_path)
        assert (run.folder.resolve(), idea.folder.name) == (folder.resolve(), second.name), name
    run, idea = find_idea("quick/20260101_000000/idea_1", tmp_path)
    assert idea.folder.name == first.name
    for name, said in (
        ("latest", "has 2 ideas"),
        ("latest/idea", "has 2 ideas"),
        ("latest/x", "none is 'x'"),
    ):
        with pytest.raises(UnknownName, match=said) as caught:
            find_idea(name, tmp_path)
        assert str(first) in caught.value.todo
    with pytest.raises(UnknownName, match="there is no run"):
        find_idea("nothing/here/idea", tmp_path)


def test_a_run_with_one_idea_names_it(tmp_path: Path) -> None:
    folder = made(tmp_path, 1)
    assert find_idea("latest", tmp_path)[1].folder.parent == folder
