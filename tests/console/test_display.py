"""Live displays on a terminal, which draw from the moment they begin."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from orchestrator.api.adapters import WAITING
from orchestrator.api.run_state import RunState
from orchestrator.api.runs import _reported
from orchestrator.console.errors import show_error
from orchestrator.console.live import Display, LiveLine, LiveTable
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
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the adapters report it: one line, whatever the server answered."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with _following(View(quiet=False, as_json=False)) as listener:
        _reported(listener)(WAITING, {"text": "waiting for openai/x: HTTP 503\n\x1b[2J busy"})
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
