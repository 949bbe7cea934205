"""Live displays on a terminal, which draw from the moment they begin."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from orchestrator.console.live import Display, LiveLine, LiveTable
from orchestrator.console.options import View
from orchestrator.console.policy_prove import ProofTable
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
