"""Where runs and their files go: nothing that exists is written over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.errors import ResultsExist
from orchestrator.record.paths import RunPaths

NOW = datetime(2026, 11, 28, 15, 0, 0, tzinfo=UTC)


def test_runs_that_begin_in_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = [RunPaths.fresh(tmp_path, "quick", NOW).folder for _ in range(3)]
    names = ["20261128_150000", "20261128_150000_2", "20261128_150000_3"]
    assert [folder.name for folder in folders] == names
    assert sorted(names) == names, "the newest is still the last by name"


def test_where_every_name_is_taken_nothing_is_written_over(tmp_path: Path) -> None:
    for _ in range(99):
        RunPaths.fresh(tmp_path, "quick", NOW)
    with pytest.raises(ResultsExist) as refused:
        RunPaths.fresh(tmp_path, "quick", NOW)
    assert "again in a second" in refused.value.todo
    assert not [path for folder in (tmp_path / "quick").iterdir() for path in folder.iterdir()]
