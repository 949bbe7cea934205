"""The commands of the first minute, and settings as commands take them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import cli
from orchestrator import __version__
from orchestrator.console import completion, docs, telling
from orchestrator.console.defaults import default_options
from orchestrator.core.errors import AisciError, UnknownName, UserError
from orchestrator.record.heard import Notice, RunOpened
from tests.console.test_cli import aisci

GROUPS = [str(one.name) for one in cli.app.registered_groups]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with nothing of the user's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def options(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = default_options(words, GROUPS).options
    for word in words[: 2 if words[0] in GROUPS else 1]:
        found = found.get(word, {})
    return found


def test_each_command_takes_those_settings_that_mean_the_same_there(folder: Path) -> None:
    (folder / "aisci.toml").write_text(
        'model = "openai/a"\nprice = "1,2"\npolicy = "ci-cpu"\nresults = "out"\nmax_usd = 3\nideas = 4\n'
    )
    of_a_run = {"model": "openai/a", "price": "1,2", "policy": "ci-cpu", "results": "out"}
    assert options("run", "grokking") == {**of_a_run, "max_usd": 3, "ideas": 4}
    assert options("ideas", "grokking") == {**of_a_run, "max_usd": 3}
    assert options("resume", "latest") == {"results": "out"}, "its budget is in its record"
    assert options("doctor", "--verbose") == {"results": "out"}, "--model asks another thing there"
    assert options("template", "baseline", "seir") == {"policy": "ci-cpu", "results": "out"}
    assert options("policy", "show", "run") == {"results": "out"}


def test_a_typed_model_leaves_the_price_of_another_and_a_list_its_own_number(folder: Path) -> None:
    (folder / "aisci.toml").write_text('model = "openai/a"\nprice = "1,2"\nideas = 4\n')
    assert "price" not in options("run", "seir", "--model", "openai/b")
    assert "price" not in options("run", "seir", "--model=openai/b")
    for option in ("--from-ideas", "--ideas-file"):
        assert "ideas" not in options("run", "seir", option, "mine.json")


def test_a_run_says_which_settings_it_takes_from_where(folder: Path) -> None:
    (folder / "aisci.toml").write_text('model = "openai/a"\nscale = "smoke"\n')
    told = default_options(["run", "seir", "--scale", "full"], GROUPS).told
    assert told == "settings: model openai/a (aisci.toml:1)"
    assert default_options(["run", "seir", "--json"], GROUPS).told == ""
    assert default_options(["list"], GROUPS).told == ""


def test_help_and_what_needs_no_setting_answer_beside_a_broken_file(folder: Path) -> None:
    (folder / "aisci.toml").write_text("nonsense = 1\n")
    for words in (["run", "--help"], ["docs"], ["version"], ["demo"], []):
        assert default_options(words, GROUPS).options == {}
    with pytest.raises(UserError):
        default_options(["list"], GROUPS)


@pytest.mark.program
def test_a_setting_holds_unless_an_option_says_otherwise(tmp_path: Path) -> None:
    own: dict[str, Any] = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "AISCI_RESULTS": ""}
    (tmp_path / "aisci.toml").write_text('results = "mine"\n')
    assert f"{tmp_path}/mine/" in aisci("list", cwd=tmp_path, **own).stdout
    assert f"{tmp_path}/typed/" in aisci("list", "--results", "typed", cwd=tmp_path, **own).stdout
    own["AISCI_RESULTS"] = "variable"
    assert f"{tmp_path}/variable/" in aisci("list", cwd=tmp_path, **own).stdout
    shown = [
        json.loads(line)
        for line in aisci("config", "--json", cwd=tmp_path, **own).stdout.splitlines()
    ]
    (results,) = (one for one in shown if one["key"] == "results")
    assert results == {
        "key": "results", "value": "variable", "origin": "AISCI_RESULTS", "variable": "AISCI_RESULTS",
    }  # fmt: skip
    (tmp_path / "aisci.toml").write_text("modle = 1\n")
    refused = aisci("list", cwd=tmp_path, **own)
    assert refused.returncode == 2
    assert "did you mean 'model'?" in refused.stderr


def test_the_documents_of_this_program_are_read_by_topic(
    capsys: pytest.CaptureFixture[str],
) -> None:
    docs.show_docs("", as_json=False)
    listed = capsys.readouterr().out
    assert "cli" in listed
    assert "The command" in listed
    assert "templates/NAME is the page of a shipped template:\n2d_diffusion, " in listed
    assert max(map(len, listed.splitlines())) <= 80
    docs.show_docs("docs/policy.md", as_json=False)
    assert capsys.readouterr().out.startswith("# Policies\n")
    for topic in ("grokking", "templates/grokking", "docs/templates/grokking.md"):
        docs.show_docs(topic, as_json=False)
        assert capsys.readouterr().out.startswith("# `grokking`\n")
    with pytest.raises(UnknownName) as caught:
        docs.show_docs("polcy", as_json=False)
    assert "did you mean 'policy'?" in caught.value.todo
    with pytest.raises(UnknownName, match="no document") as caught:
        docs.show_docs("groking", as_json=False)
    assert "did you mean 'grokking'?" in caught.value.todo


@pytest.mark.program
def test_the_version_is_one_line_and_as_json_tells_python() -> None:
    assert aisci("version").stdout == aisci("--version").stdout == f"aisci {__version__}\n"
    told = json.loads(aisci("version", "--json").stdout)
    assert told["aisci"] == __version__
    assert told["python"].startswith("3.")


def tree() -> tuple[completion.CommandWords, ...]:
    import typer.main  # noqa: PLC0415 - only here

    return tuple(completion._below(typer.main.get_command(cli.app), ()))


def test_completion_knows_every_command_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    found = {one.path: one for one in tree()}
    listed = {name for part in cli.HELP_PARTS.values() for name in part}
    assert set(found[""].words) == listed
    assert {"--model", "--max-usd", "--notify", "--no-vision"} <= set(found["run"].options)
    assert "--model" in found["run"].takes
    assert "--estimate" not in found["run"].takes
    assert "seir" in found["run"].words
    assert {"show", "prove"} <= set(found["policy"].words)
    for shell in ("bash", "zsh", "fish"):
        completion.print_completion(shell, _Root(found[""]))
        assert "aisci" in capsys.readouterr().out


class _Root:
    def __init__(self, words: completion.CommandWords) -> None:
        self.commands: dict[str, Any] = {}
        self.params: list[Any] = []
        self.words = words


@pytest.mark.program
@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("aisci de", {"demo"}),
        ("aisci policy ex", {"explain"}),
        ("aisci run se", {"seir"}),
        ("aisci policy show ci", {"ci-cpu"}),
        ("aisci run seir --max", {"--max-usd", "--max-gpu-time"}),
        ("aisci resume la", {"latest"}),
    ],
)
def test_bash_completes(typed: str, wanted: set[str]) -> None:
    words = typed.split()
    script = completion._bash(tree())
    asked = f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _aisci; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asked}"], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == wanted


def test_an_ending_is_told_once_and_a_failure_of_it_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Any] = []

    def fails(*given: object) -> str:
        told.append(given)
        return "no route\x1b[2J"

    monkeypatch.setattr(telling, "notify", fails)
    heard: list[object] = []
    one = telling.Telling("true")
    error = AisciError("spent", where="run", todo="raise it")
    one.stopped(error)
    assert told == [], "nothing had begun: the error on the screen is enough"
    listener = one.hearing(heard.append)
    listener(RunOpened("results/a/1"))
    listener(Notice("x"))
    one.stopped(error)
    assert [(target, ending.event, ending.run) for target, ending, _ in told] == [
        ("true", "stopped", "results/a/1")
    ]
    assert len(heard) == 2
    assert capsys.readouterr().err == "warning: --notify told nobody: no route\\x1b[2J\n"


def test_without_a_target_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "notify", lambda *_: pytest.fail("told"))
    one = telling.Telling("")
    one.hearing(lambda _: None)(RunOpened("results/a/1"))
    one.stopped(AisciError("spent", where="run", todo="raise it"))
