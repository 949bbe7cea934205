"""The table of a run: at every width its numbers, names of columns and marks are whole."""

from __future__ import annotations

import io
import re
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.api.run_state import ActiveCall, RunState
from orchestrator.console.live_table import LiveTable
from orchestrator.console.run_list import short_cost
from tests.console.test_cli import track_of


@pytest.fixture
def busy(tmp_path: Path) -> RunState:
    """A run with much of everything: long names, a second attempt, recalled calls, large numbers."""
    track, events, known = track_of(tmp_path)
    for event in events:
        track.take(event)
    way = track.ways[known.idea.id]
    way.name, way.status = "a_long_name_of_a_study_of_the_step_sizes", ""
    way.recalled, way.tokens, way.usd, way.unpriced = 1234, 12_345_678, 123.456, 1
    way.verdicts.update({"finished": 12, "timed out": 1, "out of memory": 2})
    way.stage, way.place = "experiments", "run 10 attempt 2"
    way.doing = [ActiveCall("running", 0, 7200, share=0.47)]
    return track


def table(track: RunState, clock: float = 4000.0) -> LiveTable:
    times = iter([0.0])
    return LiveTable(track, lambda: next(times, clock), began="12:34")


def lines(track: RunState, width: int, height: int = 1000) -> list[str]:
    return [one.plain for one in table(track).lines(width, height)]


def test_no_number_and_no_mark_is_cut_at_any_width(busy: RunState) -> None:
    wholes = {
        "tokens": "12,345,678",
        "recalled": "1,234",
        "cost": "$123.46+?",
        "stage": "run 10 attempt 2",
    }
    for width in range(40, 200):
        drawn = lines(busy, width)
        head, text = drawn[0], "\n".join(drawn)
        assert set(head.split()) <= {"stage", "doing", "containers", "recalled", "tokens", "cost"}
        assert {"doing", "cost"} <= set(head.split())
        assert max(map(len, drawn)) <= width
        for name, whole in wholes.items():
            assert (whole in text) == (name in head), (name, width)
        if "containers" in head:
            assert re.search(r"✓ 14  ✗ (?:3|2 out of memory  ✗ 1 timed out) ", text), width
        assert len(drawn) == 2 + len(busy.ways), "each way on a line"


def test_at_80_all_columns_are_there_and_what_is_done_is_short(busy: RunState) -> None:
    (way,) = (one for key, one in busy.ways.items() if key != "run")
    way.recalled, way.place, way.tokens, way.usd = 0, "run 10", 1_345_678, 12.5
    drawn = lines(busy, 80)
    assert drawn[0].split() == ["stage", "doing", "containers", "tokens", "cost"]
    assert "running 47 %" in drawn[2]
    assert "✗ 2 out of memory" in lines(busy, 160)[2]
    assert "running 47 %, about 4511 s to go" in lines(busy, 120)[2]


def test_columns_stay_where_they_are_while_what_is_done_changes(busy: RunState) -> None:
    (way,) = (one for key, one in busy.ways.items() if key != "run")
    way.recalled, way.place = 0, "run 1"
    heads = set()
    for what in ("", "x", "asking the model", "running a container for a very long time"):
        way.doing = [ActiveCall(what, 0, 0)] if what else []
        heads.add(lines(busy, 80)[0])
    assert len(heads) == 1


def test_the_time_is_told_and_grows(busy: RunState) -> None:
    one = LiveTable(busy, count(0, 61).__next__, began="12:34")
    assert one.lines(80)[-1].plain.startswith("working since 12:34 UTC, ")
    assert lines(busy, 80)[-1] == "working since 12:34 UTC, 1 h 6 min"


def test_about_how_long_the_run_has_left_is_told_as_far_as_its_plans_say(busy: RunState) -> None:
    busy.ends = 4000.0 + 754.0
    assert lines(busy, 80)[-1] == "working since 12:34 UTC, 1 h 6 min; about 13 min left"
    busy.ends = 4000.0 + 41.0
    assert lines(busy, 80)[-1].endswith("; about 41 s left")
    busy.ends = 3999.0
    assert lines(busy, 80)[-1] == "working since 12:34 UTC, 1 h 6 min"


def test_more_ideas_than_a_screen_has_lines_are_counted(busy: RunState) -> None:
    for number in range(40):
        way = busy.way(f"idea/{number}")
        way.status = "finished" if number else ""
    drawn = lines(busy, 80, height=24)
    assert len(drawn) <= 24
    assert any("more ideas that have ended" in line for line in drawn)
    assert any(line.startswith("0 ") for line in drawn), "the one at work is shown"
    assert any(line.startswith("all ") and short_cost(123.456, 1) in line for line in drawn)


def test_hostile_text_is_shown_and_acts_on_no_terminal(tmp_path: Path) -> None:
    track, events, _ = track_of(tmp_path, "[bold]x[/bold]\x1b[2J")
    for event in events:
        track.take(event)
    page = Console(file=io.StringIO(), width=160)
    for line in table(track).lines(160):
        page.print(line)
    drawn = page.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert "…bold]\\x1b[2J" in drawn
    assert "\x1b[2J" not in drawn
    assert "✓ 2" in drawn
