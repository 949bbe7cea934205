"""A machine's budgets for a test: a file in a folder that stands for the administrator's, and its ledger."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.core import machine_folder
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.record.account_ledger import AccountLedger
from orchestrator.record.machine_budget import MachineBudget
from orchestrator.record.machine_limits import BUDGETS_FILE


def budgets_at(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    """The file with this text, as the machine's; what this account keeps lies in ``folder`` too."""
    place = MachineFolder(folder / "etc", os.getuid())
    place.folder.mkdir(mode=0o755, exist_ok=True)
    path = place.folder / BUDGETS_FILE
    path.write_text(text, "utf-8")
    path.chmod(0o644)
    monkeypatch.setattr(machine_folder, "MACHINE", place)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    return path


def kept_ledger(folder: Path, month: str = "2026-11", *, grows: bool = True) -> AccountLedger:
    """A ledger as an administrator keeps it; whether the kernel lets it grow alone is said, not set."""
    folder.mkdir(mode=0o755, exist_ok=True)
    path = folder / f"{os.getuid()}.jsonl"
    path.touch(0o600)
    return AccountLedger(path, kept=True, month=lambda: month, append_only=lambda _: grows)


def budget_here() -> MachineBudget:
    """The budget of this account, which there is."""
    budget = MachineBudget.of_account()
    assert budget is not None
    return budget
