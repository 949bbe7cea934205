"""How many ideas are in flight: what was asked for, else what keeps the containers busy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.parallel import flight_notice, ideas_in_flight
from orchestrator.policy.policy import lowered
from tests.support import run_rig as rig


@pytest.mark.parametrize(
    ("changes", "asked", "count"),
    [
        ({"ideas": 1}, None, 1),
        ({"ideas": 50}, None, 2),  # the policy's containers
        ({"ideas": 50, "model": "openai/x"}, None, 4),  # a model thinks between them
        ({"ideas": 3, "model": "openai/x"}, None, 3),
        ({"ideas": 50, "open_ended": True}, None, 1),
        ({"ideas": 50, "open_ended": True}, 5, 5),
        ({"ideas": 3}, 24, 3),
        ({"ideas": 50}, 24, 24),
    ],
)
def test_ideas_in_flight_follow_from_room_model_and_request(
    tmp_path: Path, changes: dict[str, Any], asked: int | None, count: int
) -> None:
    spec = rig.setup(tmp_path)
    spec = replace(spec, policy=lowered(spec.policy, {"run.containers": 2}), **changes)
    assert ideas_in_flight(spec, asked) == count


def test_what_they_may_take_is_said_before_they_begin(tmp_path: Path) -> None:
    said = flight_notice(rig.setup(tmp_path), 3)
    assert said.startswith("3 ideas in flight; at most 2 containers at once")
    assert "of memory and" in said
