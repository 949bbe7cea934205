"""What a run costs this machine beside its containers' programs; seconds are kept, not judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bench import record
from tests.support.overhead import measured

pytestmark = [pytest.mark.campaign, pytest.mark.engine, pytest.mark.serial]

ORCHESTRATOR, FURTHER_IDEA = 200, 20  # MiB


def test_the_orchestrator_stays_small_however_many_ideas_are_in_flight(tmp_path: Path) -> None:
    # The first run of an image on a machine lists its packages, and keeps the list.
    measured("grokking", "ci-cpu", 1, tmp_path / "first")
    one, four = (measured("grokking", "ci-cpu", ideas, tmp_path / str(ideas)) for ideas in (1, 4))
    row = measured("grokking", "ci-cpu", 3, tmp_path / "row", parallel=1)
    grown = (four["memory_mib"] - one["memory_mib"]) / 3
    record("overhead", {"runs": [one, four, row], "mib_a_further_idea": round(grown, 1)})
    assert one["memory_mib"] <= ORCHESTRATOR
    assert grown <= FURTHER_IDEA
