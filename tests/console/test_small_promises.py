"""Small things that a person tries first: a bare command, a dot for a folder, a file's bare name, a narrow terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from orchestrator.api.find_run import find_run
from orchestrator.api.run_state import RunState
from orchestrator.console import data, policy
from orchestrator.console import output as out
from orchestrator.console.live_table import LiveTable
from orchestrator.core.errors import UnknownName
from orchestrator.template.template import load_template
from tests.console.test_cli import aisci, make_run
from tests.console.test_display import Terminal
from tests.support.places import ROOT


@pytest.mark.program
@pytest.mark.parametrize("words", [(), ("policy",), ("template",)])
def test_a_command_without_words_shows_its_help_and_fails_nothing(words: tuple[str, ...]) -> None:
    done = aisci(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == aisci(*words, "--help").stdout


@pytest.mark.program
def test_a_check_takes_a_dot_and_a_files_name(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates/seir", tmp_path / "mine")
    checked = aisci("template", "check", ".", cwd=tmp_path / "mine")
    assert checked.stdout.endswith(": keeps its contract\n")
    shutil.copy(ROOT / "policies/ci-cpu.yaml", tmp_path / "mine.yaml")
    assert aisci("policy", "check", "mine.yaml", cwd=tmp_path).returncode == 0


def test_the_folder_above_is_found_by_two_dots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "templates/seir", tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine/latex")
    found = load_template("..", ROOT)
    assert found.argument == ".."


@pytest.mark.program
def test_a_policy_is_shown_as_json_as_written_and_effective() -> None:
    written = json.loads(aisci("policy", "show", "ci-cpu", "--json").stdout)
    whole = json.loads(aisci("policy", "show", "ci-cpu", "--effective", "--json").stdout)
    assert written["name"] == "ci-cpu"
    assert "latex" not in written
    assert whole["latex"]["network"] == "none"


def test_names_and_descriptions_of_policies_are_whole_on_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", lambda: 80)
    policy.list_policies(as_json=False)
    said = capsys.readouterr().out
    names = [path.stem for path in (ROOT / "policies").glob("*.yaml")]
    assert all(any(line.startswith(f"{name} ") for line in said.splitlines()) for name in names)
    assert all(f"{name}: " in said for name in names)
    table = said.partition("\n\n")[0].splitlines()
    assert len(table) == 1 + len(names)
    assert max(map(len, table)) <= 80


def test_names_and_sizes_of_data_are_whole_on_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "width", lambda: 80)
    data.list_data(as_json=False)
    said = capsys.readouterr().out
    table = said.partition("\n\n")[0].splitlines()
    assert any(re.fullmatch(r"enwik8 +(not )?staged +34\.8 MiB", line) for line in table)
    assert max(map(len, table)) <= 80
    assert "enwik8 (nanoGPT): " in said


@pytest.mark.parametrize("off", ["toy", "toy/20260101_000000"])
def test_results_one_level_off_name_the_folder_above(off: str, tmp_path: Path) -> None:
    make_run(tmp_path / "toy" / "20260101_000000")
    with pytest.raises(UnknownName, match="inside of the folder of results") as caught:
        find_run("latest", tmp_path / off)
    assert caught.value.todo.endswith(f"--results {tmp_path}")


def test_a_request_that_is_refused_leaves_no_empty_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with LiveTable(RunState(lambda body: body.inline, lambda: 0.0)):
        pass
    assert screen.getvalue().rstrip().endswith("\x1b[2K"), "what was drawn is taken away"


def test_help_says_what_every_argument_is() -> None:
    import typer.main  # noqa: PLC0415 - only here

    import cli  # noqa: PLC0415 - only here

    without = []
    waiting = [("aisci", typer.main.get_command(cli.app))]
    while waiting:
        path, command = waiting.pop()
        inner = getattr(command, "commands", {})
        waiting += [(f"{path} {name}", one) for name, one in inner.items()]
        without += [
            f"{path} {one.name}"
            for one in command.params
            if one.param_type_name == "argument" and not getattr(one, "help", None)
        ]
    assert without == []
