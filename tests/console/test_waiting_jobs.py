"""A job that waits for room is told as one, and its clock begins when its program does."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from orchestrator.api.job_reports import reported_jobs
from orchestrator.api.live_board import LiveBoard
from orchestrator.api.run_state import RunState
from orchestrator.console.log_lines import LogLines
from orchestrator.console.options import View
from orchestrator.console.run import _following
from orchestrator.core.model import Usage
from orchestrator.record.events import Asked, Body
from orchestrator.record.heard import Heard, JobStarts, JobWaits

SCOPE = "idea/ab/experiments/run_1/attempt_1"
ASKED = Asked(
    port="sandbox", scope=SCOPE, ord=0, request="", body=Body(inline={"limits": {"wall": 300}}),
    ceiling=Usage(), at="2026-11-29T10:00:00",
)  # fmt: skip


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def state(clock: Clock) -> RunState:
    made = RunState(lambda body: body.inline, clock)
    made.take(ASKED)
    return made


def test_a_jobs_time_begins_when_its_program_starts() -> None:
    clock = Clock()
    track = state(clock)
    track.take(JobWaits(SCOPE))
    (doing,) = track.way(SCOPE).doing
    assert doing.waits
    clock.now = 40.0
    assert track.waited(SCOPE) == 40.0
    track.take(JobStarts(SCOPE, 600.0))
    assert (doing.waits, doing.since, track.waited(SCOPE), track.ends) == (False, 40.0, 0.0, 640.0)


@pytest.mark.parametrize(
    ("waited", "told"), [(9.0, ""), (40.0, "attempt_1: waited 40 s for room\n")]
)
def test_a_log_tells_a_long_wait_and_no_short_one(waited: float, told: str) -> None:
    clock, written = Clock(), io.StringIO()
    log = LogLines(state(clock), lambda body: body.inline, "2026-11-29T11:00:00", written)
    log(JobWaits(SCOPE))
    clock.now = waited
    log(JobStarts(SCOPE, None))
    assert written.getvalue()[-len(told) :] == told if told else not written.getvalue()


def test_json_has_waits_starts_and_a_line_for_each_tenth_of_a_jobs_work(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with _following(View(quiet=False, as_json=True)) as listener:
        report = reported_jobs(listener, LiveBoard(tmp_path))
        report("waiting", {"scope": SCOPE})
        report("started", {"scope": SCOPE, "left": 600.0})
        for share in (0.01, 0.11, 0.12, 0.35, None):
            report("sample", {"scope": SCOPE, "share": share})
        report("ended", {"scope": SCOPE})
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert [(one["kind"], one.get("left"), one.get("share")) for one in told] == [
        ("waiting", None, None),
        ("started", 600.0, None),
        ("sampled", None, 0.11),
        ("sampled", None, 0.35),
    ]


def test_an_event_of_no_known_job_changes_nothing() -> None:
    track, events = state(Clock()), list[Heard]()
    events += [JobWaits("run/baseline"), JobStarts("run/baseline", None)]
    for event in events:
        track.take(event)
    assert track.ends is None
    assert not track.way(SCOPE).doing[0].waits
