"""A ceiling for a test: files in a folder that stands for the machine's, owned by who runs the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.core import machine_folder
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.policy.policy import load_policy, policy_text
from tests.policy.test_policy import ROOT


def ceiling_text(shipped: str = "ci-cpu", **changes: str) -> str:
    """A whole policy as an administrator writes one: a shipped policy in full, with ``changes``."""
    text = policy_text(load_policy(shipped, ROOT), effective=True)
    for before, after in {f"name: {shipped}": "name: corp", **changes}.items():
        assert before in text
        text = text.replace(before, after, 1)
    return text


def ceiling_at(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = "") -> MachineFolder:
    """The place, with ``ceiling.yaml`` in it, as the machine's."""
    place = MachineFolder(folder / "etc", os.getuid())
    place.folder.mkdir(mode=0o755)
    write_ceiling(place.folder / "ceiling.yaml", text or ceiling_text())
    monkeypatch.setattr(machine_folder, "MACHINE", place)
    return place


def write_ceiling(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o644)
