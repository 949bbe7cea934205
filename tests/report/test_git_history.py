"""An idea's git history: equal on every machine, readable by any git, out of an edit's reach."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.core.errors import BadJournal
from orchestrator.core.tree import Tree
from orchestrator.report import git_history
from orchestrator.report.git_history import History
from tests.support.memory_blobs import MemoryBlobs

BLOBS = MemoryBlobs()


def tree(files: Mapping[str, bytes]) -> Tree:
    return Tree.of({path: BLOBS.put(data) for path, data in files.items()})


ONE = tree({"experiment.py": b"x = 1\n", "latex/template.tex": b"\\end\n"})
TWO = tree({"experiment.py": b"x = 3\n", "latex/template.tex": b"\\end\n"})


def git(folder: Path, *args: str) -> str:
    """What the real git says of a repository, with nobody's settings."""
    ran = subprocess.run(
        ["git", "-C", str(folder), *args],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(folder)},
    )
    return ran.stdout


def log(history: History) -> list[tuple[int, str]]:
    """The number and the message of every commit, oldest first."""
    with history._open() as repo:
        return [(c.commit_time, c.message.decode()) for c in git_history._chain(repo)]


@pytest.mark.program
def test_real_git_reads_one_commit_per_edit(tmp_path: Path) -> None:
    history = History(tmp_path / "history.git")
    history.record(0, ONE, "The template", BLOBS)
    history.record(1, TWO, "run_1: set x to 3", BLOBS)
    assert git(history.folder, "log", "--format=%s").splitlines() == [
        "run_1: set x to 3",
        "The template",
    ]
    assert "-x = 1\n+x = 3" in git(history.folder, "log", "-p", "-1")
    assert git(history.folder, "show", "main:latex/template.tex") == "\\end\n"
    git(history.folder, "fsck", "--strict")


def test_equal_edits_have_equal_ids_wherever_and_whenever(tmp_path: Path) -> None:
    """Pinned to what `git commit` makes of them: one made today and one made in a year must be the same."""
    heads = []
    for name in ("a", "b"):
        history = History(tmp_path / name)
        history.record(0, ONE, "The template", BLOBS)
        heads.append(history.record(1, TWO, "set x", BLOBS))
    assert heads == ["44d948b7ad12cca840012dbbcbb134625a4cec4f"] * 2


def test_an_edit_that_is_played_again_is_not_recorded_twice(tmp_path: Path) -> None:
    history = History(tmp_path / "history.git")
    first = history.record(0, ONE, "The template", BLOBS)
    second = history.record(1, TWO, "set x", BLOBS)
    again = History(history.folder)
    assert again.record(0, ONE, "The template", BLOBS) == first
    assert again.record(1, TWO, "set x", BLOBS) == second
    assert log(again) == [(0, "The template"), (1, "set x")]


@pytest.mark.parametrize(("number", "files", "message"), [(0, TWO, "a"), (0, ONE, "b")])
def test_an_edit_that_stands_there_otherwise_is_an_error(
    tmp_path: Path, number: int, files: Tree, message: str
) -> None:
    history = History(tmp_path / "history.git")
    history.record(0, ONE, "a", BLOBS)
    with pytest.raises(BadJournal, match="other files or another message"):
        history.record(number, files, message, BLOBS)
    assert len(log(history)) == 1


def test_an_edit_cannot_be_left_out(tmp_path: Path) -> None:
    history = History(tmp_path / "history.git")
    with pytest.raises(BadJournal, match="edit 1 cannot follow"):
        history.record(1, ONE, "a", BLOBS)


def test_an_edit_without_a_change_is_a_commit_too(tmp_path: Path) -> None:
    history = History(tmp_path / "history.git")
    history.record(0, ONE, "The template", BLOBS)
    history.record(1, ONE, "nothing changed: the reply held no block", BLOBS)
    assert len(log(history)) == 2


def test_a_folder_that_is_no_repository_is_never_made_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadJournal, match="not a git history"):
        log(History(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_hooks_and_settings_of_a_user_or_a_repository_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = History(tmp_path / "plain").record(0, ONE, "a", BLOBS)
    marker = tmp_path / "marker"
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f"[user]\n\tname = Someone\n[core]\n\tfsmonitor = touch {marker}\n"
        "[init]\n\tdefaultBranch = other\n[commit]\n\tgpgSign = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Someone")
    history = History(tmp_path / "hooked")
    log(history)
    hooks = history.folder / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "post-commit", "update", "post-receive", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / name).chmod(0o755)
    assert history.record(0, ONE, "a", BLOBS) == plain
    assert not marker.exists()


def test_odd_words_in_a_message_are_kept_as_text(tmp_path: Path) -> None:
    history = History(tmp_path / "history.git")
    history.record(0, ONE, "a\x1b[31m\n\ntree 0000 é \ud800", BLOBS)
    assert log(history)[0][1] == "a\x1b[31m\n\ntree 0000 é ?"
