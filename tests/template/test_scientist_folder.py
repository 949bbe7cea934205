"""A results folder of the AI Scientist is read as a stranger's: known files, within bounds, and each other one named."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from orchestrator.core.errors import UnknownName
from orchestrator.template import scientist_folder
from orchestrator.template.scientist_folder import read_scientist_folder
from tests.support.scientist_results import FOLDER, made_folder, whole_files


def test_what_belongs_to_an_idea_is_read_and_the_rest_is_named_with_its_reason(
    tmp_path: Path,
) -> None:
    read = read_scientist_folder(made_folder(tmp_path))
    left = dict(read.left_out)
    assert read.name == FOLDER
    assert dict(read.files) == {
        path: data for path, data in whole_files().items() if path not in left
    }
    assert left == {
        "log.txt": "it is a log",
        "step_decay_aider.txt": "it is a log",
        "latex/template.log": "it is a log",
        "run_1/all_results.npy": "it can run code when it is opened",
    }
    assert read.more == 0


def test_the_list_of_ideas_may_stand_above_the_folder(tmp_path: Path) -> None:
    files = whole_files()
    ideas = files.pop("ideas.json")
    folder = made_folder(tmp_path, files)
    assert "ideas.json" not in read_scientist_folder(folder).files
    (folder.parent / "ideas.json").write_bytes(ideas)
    assert read_scientist_folder(folder).files["ideas.json"] == ideas


def test_links_pipes_sockets_and_unreadable_files_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_folder(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("a key")
    for name in ("plot.py", "review.txt", "run_1/final_info.json", "latex/template.tex"):
        (folder / name).unlink()
    (folder / "plot.py").symlink_to(secret)
    (folder / "run_9").symlink_to(tmp_path)
    os.mkfifo(folder / "review.txt")
    (folder / "latex" / "template.tex").symlink_to("/dev/zero")
    monkeypatch.chdir(folder / "run_1")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("final_info.json")
        read = read_scientist_folder(folder)
    left = dict(read.left_out)
    assert not {"plot.py", "review.txt", "latex/template.tex", "run_1/final_info.json"} & {
        *read.files
    }
    assert left["plot.py"] == left["latex/template.tex"] == "a link is in its place"
    assert left["review.txt"] == "it is no plain file"
    assert left["run_9"] == "a link is in its place"
    assert "run_1/final_info.json" in left
    assert {name for name, _ in read.left_out[:2]} == {"run_9", "run_1/final_info.json"}, (
        "runs are named first"
    )
    assert b"a key" not in b"".join(read.files.values())


def test_huge_files_deep_trees_and_odd_names_are_left_out(tmp_path: Path) -> None:
    folder = made_folder(tmp_path)
    with (folder / "review.txt").open("wb") as file:
        file.truncate(1 << 40)  # a sparse file: no disk holds it
    deep = folder / "data" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "x.py").write_text("1")
    (folder / "run_1" / "sub").mkdir()
    for name in ("-rf.py", "a\x1b[2J.py", "b\u202e.png", os.fsdecode(b"\xff.py"), ".hidden.py"):
        (folder / name).write_text("1")
    read = read_scientist_folder(folder)
    left = dict(read.left_out)
    assert "over 1048576" in left["review.txt"]
    assert left["data/"] == left["run_1/sub/"] == "it is no folder of a run or of the paper"
    assert "a name that starts with a dash" in left["-rf.py"]
    assert not any(not path.isprintable() or path.startswith("-") for path in read.files)
    assert all(path.isprintable() for path in left)


def test_more_files_or_bytes_than_an_idea_has_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_folder(tmp_path)
    for number in range(300):
        (folder / f"odd_{number}.xyz").write_text("x")
    read = read_scientist_folder(folder)
    assert len(read.left_out) == scientist_folder.MOST_LEFT_OUT
    assert read.more == 300 + 4 - scientist_folder.MOST_LEFT_OUT
    monkeypatch.setattr(scientist_folder, "_MOST_FILES", 3)
    assert len(read_scientist_folder(folder).files) == 3
    monkeypatch.setattr(scientist_folder, "_MOST_FILES", 2000)
    monkeypatch.setattr(scientist_folder, "_MOST_BYTES", 5000)
    assert sum(map(len, read_scientist_folder(folder).files.values())) <= 5000
    monkeypatch.setattr(scientist_folder, "_MOST_ENTRIES", 50)
    assert any("over 50 entries" in why for _, why in read_scientist_folder(folder).left_out)


def test_a_run_beyond_the_bound_and_a_folder_in_place_of_a_file_are_named(tmp_path: Path) -> None:
    files = whole_files()
    info = files.pop("run_1/final_info.json")
    folder = made_folder(tmp_path, files | {"run_100/final_info.json": info})
    (folder / "run_1/final_info.json").mkdir(parents=True)
    (folder / "run_2/final_info.json").unlink()
    (folder / "run_2/final_info.json").symlink_to("../run_100/final_info.json")
    left = dict(read_scientist_folder(folder).left_out)
    assert left["run_1/final_info.json/"] == "a folder is in the place of this file"
    assert left["run_2/final_info.json"] == "a link is in its place"
    assert left["run_100/final_info.json"] == "only run_0 to run_99 are read"


@pytest.mark.parametrize(
    ("source", "why"),
    [(b"\xe9t\xe9", "it may be Latin-1"), (b"\x7fELF\x00\xff", "it is binary")],
)
def test_a_source_that_is_no_text_is_left_out_with_what_to_do(
    source: bytes, why: str, tmp_path: Path
) -> None:
    folder = made_folder(tmp_path, whole_files() | {"latex/template.tex": source})
    told = dict(read_scientist_folder(folder).left_out)["latex/template.tex"]
    assert why in told
    assert "save it as UTF-8" in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "no such folder"),
        ("file", "this is a file, not a folder"),
        ("link", "this is a link, not a folder"),
    ],
)
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UnknownName, match=said):
        read_scientist_folder(tmp_path / name)
