"""Live displays on a terminal, which draw from the moment they begin."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.api.adapters import WAITING
from orchestrator.api.job_reports import reported_jobs
from orchestrator.api.live_board import LiveBoard
from orchestrator.api.run_state import RunState
from orchestrator.console.errors import commands_in, show_error
from orchestrator.console.live import Display, LiveLine
from orchestrator.console.live_table import LiveTable
from orchestrator.console.log_lines import LogLines
from orchestrator.console.options import View
from orchestrator.console.policy_prove import ProofTable
from orchestrator.console.run import _following
from orchestrator.core.errors import AisciError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "make",
    [
        lambda: ProofTable(View(quiet=False, as_json=False)),
        lambda: LiveLine(View(quiet=False, as_json=False)),
        lambda: LiveTable(RunState(lambda body: body.inline, lambda: 0.0)),
    ],
    ids=["policy prove", "one container", "run"],
)
def test_a_display_begins_before_anything_has_happened(
    make: Callable[[], Display], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with make() as display:
        assert display.live is not None
    assert not display.live.is_started


def test_a_busy_model_is_told_above_the_table_while_the_run_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the adapters report it: one line, whatever the server answered."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with _following(View(quiet=False, as_json=False)) as listener:
        reported_jobs(listener, LiveBoard(tmp_path))(
            WAITING, {"text": "waiting for openai/x: HTTP 503\n\x1b[2J busy"}
        )
    assert capsys.readouterr().out == "waiting for openai/x: HTTP 503 \\x1b[2J busy\n"


@pytest.mark.parametrize(
    ("minutes", "stops", "words"),
    [
        (2.0, 300.0, "running experiment.py (about 2 min)"),
        (None, 300.0, "running experiment.py (how long is unknown; stopped at 5 min)"),
        (None, 0.0, "running experiment.py"),
    ],
)
def test_a_duration_that_nobody_stated_is_not_invented(
    minutes: float | None, stops: float, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveLine(View(quiet=False, as_json=False)) as line:
        line.begin("experiment.py", minutes, stops)
    assert capsys.readouterr().err == f"{words}\n"


def test_a_long_error_keeps_its_beginning_and_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    output = "\n".join(f"line {number}" for number in range(2000))
    error = AisciError("it failed", where="run_0", why=output, todo="mend it")
    show_error(error, as_json=False)
    said = capsys.readouterr().err
    assert "line 0\n" in said
    assert "line 1999" in said
    assert "characters left out" in said
    assert len(said) < 5000


def test_a_terminal_whose_cursor_cannot_move_gets_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An editor's shell: a table would be drawn below itself, or not at all."""
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    monkeypatch.setenv("TERM", "dumb")
    with _following(View(quiet=False, as_json=False)) as listener:
        assert isinstance(listener.display, LogLines)  # type: ignore[attr-defined]  # a follower's
    with LiveLine(View(quiet=False, as_json=False)) as line:
        line.begin("experiment.py", 2.0)
        assert line.live is None
    assert screen.getvalue() == "running experiment.py (about 2 min)\n"


def test_a_line_above_the_table_leaves_no_picture_of_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with LiveTable(RunState(lambda body: body.inline, lambda: 0.0)) as table:
        for number in range(3):
            table.say(f"notice {number}")
        assert table.live is not None
        assert not table.live.transient, "the last picture stays"
    assert capsys.readouterr().out == "notice 0\nnotice 1\nnotice 2\n"
    assert screen.getvalue().count("\x1b[2K") >= 3, "what was drawn is taken away before each"


def test_an_error_on_a_terminal_has_no_frame_and_its_command_alone_on_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    path = "/a/folder/whose/name/is/longer/than/the/terminal/is/wide/run"
    todo = f"`aisci resume {path} --max-usd 5` goes on, `aisci resume` alone does not"
    show_error(AisciError("it stopped", where=path, why="spent", todo=todo), as_json=False)
    said = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    assert said[1:4] == ["  it stopped", f"  where: {path}", "  why:   spent"]
    assert said[-1] == f"aisci resume {path} --max-usd 5"
    assert not {"│", "╭"} & set("".join(said))
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", screen.getvalue()), "NO_COLOR: no colour"


@pytest.mark.parametrize(
    ("todo", "commands"),
    [
        ("continue with: aisci resume results/a/1", ["aisci resume results/a/1"]),
        ("`aisci doctor` says what this machine has", ["aisci doctor"]),
        ("name one: `aisci report RUN`", []),
        ("`aisci resume` asks again", []),
        ("`aisci template list` shows them; `aisci template list`", ["aisci template list"]),
    ],
)
def test_only_whole_commands_stand_alone(todo: str, commands: list[str]) -> None:
    assert commands_in(todo) == commands
