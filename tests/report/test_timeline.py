"""The picture of when each idea worked: to scale, calls of one kind that touch as one, no record crashes it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestrator.record.events import Answered, Body
from orchestrator.report.html import join
from orchestrator.report.timeline import timeline


def ended(at: str, seconds: float, **changes: Any) -> Answered:
    place = {"scope": "idea/x/plots", "port": "sandbox"} | changes
    return Answered(n=0, at=at, ord=0, body=Body(), request="", seconds=seconds, **place)


def bars(*lanes: list[Answered]) -> list[tuple[float, float, str]]:
    drawn = join(*timeline((f"idea {n}", lane) for n, lane in enumerate(lanes)))
    found = re.findall(
        r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="9" class="(s\d)"', drawn
    )
    return [(float(x), float(width), look) for x, width, look in found]


def test_calls_are_drawn_to_scale_and_those_that_touch_as_one() -> None:
    one = [
        ended("2026-01-01T00:00:10+00:00", 10.0),
        ended("2026-01-01T00:00:20+00:00", 10.0),
        ended("2026-01-01T00:00:40+00:00", 20.0, port="model"),
    ]
    two = [ended("2026-01-01T00:01:20+00:00", 20.0, port="editor")]
    assert bars(one, two) == [
        (0, 220, "s1"),
        (220, 220, "s0"),
        (660, 220, "s2"),
    ]


def test_what_an_editor_asks_is_within_its_own_bar() -> None:
    lane = [
        ended("2026-01-01T00:00:05+00:00", 2.0, scope="idea/x/plots/editor", port="model"),
        ended("2026-01-01T00:00:10+00:00", 10.0, port="editor"),
    ]
    assert [look for *_, look in bars(lane)] == ["s2"]


def test_nothing_is_drawn_where_nothing_was_called() -> None:
    assert timeline([("idea", [])]) == []


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        ("never", 1.0),
        ("2026-01-01T00:00:10+00:00", -5.0),
        ("2026-01-01T00:00:10+00:00", float("inf")),
    ],
)
def test_a_time_that_is_none_is_left_out(at: str, seconds: float) -> None:
    good = ended("2026-01-01T00:00:10+00:00", 10.0)
    assert len(bars([good, ended(at, seconds)])) == 1


def test_a_name_cannot_leave_the_picture() -> None:
    lane = [ended("2026-01-01T00:00:10+00:00", 10.0)]
    drawn = join(*timeline([('"><script>alert(1)</script>', lane)]))
    assert "<script" not in drawn
