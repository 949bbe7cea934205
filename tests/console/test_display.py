"""Live displays on a terminal, which draw from the moment they begin."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from orchestrator.api.adapters import WAITING
from orchestrator.api.runs import _reported
from orchestrator.console.live import Display, LiveLine, LiveTable
from orchestrator.console.options import View
from orchestrator.console.policy_prove import ProofTable
from orchestrator.console.run import _following
from orchestrator.console.run_state import RunState


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
