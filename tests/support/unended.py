"""A scripted run whose record lacks its last line, on a machine without an engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.api import runs
from orchestrator.record.journal import Mode
from orchestrator.research.sweep import SweepModel
from tests.support import run_rig


def unended_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of the run in ``folder``, which resume would end."""
    run_rig.run_scripted(folder, SweepModel(), Mode.RECORD)
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    monkeypatch.setattr(runs, "connect", lambda: None)
    monkeypatch.setattr(runs, "same_images", lambda *_: None)
    monkeypatch.setattr(runs, "resolve_images", lambda *_: ())
    return journal
