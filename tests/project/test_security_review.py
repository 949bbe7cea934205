"""Each question of a security review has an answer, and each command that shows one works as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.api.reproduce import replay
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "security-review.md").read_text("utf-8")
SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
BLOCK = re.compile(r"^```sh( engine)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
TITLES = [one.splitlines()[0] for one in SECTIONS]


def blocks(*, engine: bool) -> list[pytest.param]:  # type: ignore[valid-type]  # it is no type
    """Each block that does, or does not, need an engine, by its question."""
    return [
        pytest.param(match[2], id=title.partition(".")[0])
        for title, text in zip(TITLES, SECTIONS, strict=True)
        for match in BLOCK.finditer(text)
        if bool(match[1]) is engine
    ]


@pytest.fixture(scope="module")
def results(quick_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded run with every file that it makes, in a folder of results."""
    folder = tmp_path_factory.mktemp("review") / "results"
    run = Path(shutil.copytree(quick_run, folder / "quick" / "20260101_000000"))
    replay(str(run), into=folder.parent / "made")
    shutil.copytree(folder.parent / "made", run, dirs_exist_ok=True)
    return folder


def bash(block: str, results: Path, cwd: Path, **more: str) -> None:
    """Run a block as a person would, with ``aisci`` as a command; each of its lines must succeed."""
    tools = cwd / "bin"
    tools.mkdir()
    (tools / "aisci").write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "cli.py"} "$@"\n')
    (tools / "aisci").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=cwd,
        env={
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(cwd),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "RUN": str(results / "quick" / "20260101_000000"),
            "RUNS": str(results),
            **more,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    # `head` closes the pipe of what it read enough of: aisci then ends with 141.
    assert done.returncode in {0, 141}, f"{block}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.strip() or "! grep" in block, block


def test_there_are_nineteen_questions_each_with_a_short_answer_and_a_command() -> None:
    assert [title.partition(".")[0] for title in TITLES] == [str(n) for n in range(1, 20)]
    for title, text in zip(TITLES, SECTIONS, strict=True):
        assert title.endswith("?"), title
        assert BLOCK.search(text), title
        prose = BLOCK.sub("", text.partition("\n")[2])
        assert len(prose.split()) < 110, title


def test_no_command_of_the_page_stops_runs_or_changes_anything() -> None:
    every = [match[2] for text in SECTIONS for match in BLOCK.finditer(text)]
    assert not [
        one for one in every if re.search(r"aisci stop (?!--help)|aisci (rm|run|resume)", one)
    ]


@pytest.mark.program
@pytest.mark.parametrize("block", blocks(engine=False))
def test_a_command_shows_its_answer(block: str, results: Path, tmp_path: Path) -> None:
    bash(block, results, tmp_path, DOCKER_HOST="unix:///nowhere.sock")


@pytest.mark.engine
@pytest.mark.parametrize("block", blocks(engine=True))
def test_a_command_shows_its_answer_with_an_engine(
    block: str, results: Path, tmp_path: Path
) -> None:
    bash(block, results, tmp_path)
