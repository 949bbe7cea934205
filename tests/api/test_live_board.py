"""What a job prints is seen by other processes while it runs, and is no part of the record."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from orchestrator.api import live_board
from orchestrator.api.live_board import LiveBoard, LiveJob, live_jobs
from orchestrator.api.run_state import RunState
from orchestrator.console.log_lines import LogLines
from orchestrator.core.files import remove_unfinished
from orchestrator.record.paths import beside_record

SCOPE = "idea/abc/experiments/run_1/attempt_1"


def sample(tail: str, share: float | None = None, printed: int | None = None) -> dict[str, object]:
    count = len(tail) if printed is None else printed
    return {"scope": SCOPE, "tail": tail, "share": share, "printed": count}


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LiveBoard:
    monkeypatch.setattr(live_board, "_EACH", 0.0)
    return LiveBoard(tmp_path)


def test_a_jobs_output_and_share_are_there_while_it_runs_and_gone_at_its_end(
    tmp_path: Path, board: LiveBoard
) -> None:
    board("waiting", {"scope": SCOPE})
    assert live_jobs(tmp_path) == {SCOPE: LiveJob(scope=SCOPE, waits=True)}
    board("started", {"scope": SCOPE, "left": None, "gpus": ()})
    assert live_jobs(tmp_path) == {SCOPE: LiveJob(scope=SCOPE)}
    board("sample", sample("step 1\n", 0.25))
    assert live_jobs(tmp_path) == {
        SCOPE: LiveJob(scope=SCOPE, share=0.25, tail="step 1\n", printed=7)
    }
    board("ended", {"scope": SCOPE})
    assert list(tmp_path.iterdir()) == []


def test_it_says_which_gpus_a_job_was_lent_and_about_when_the_run_ends(
    tmp_path: Path, board: LiveBoard
) -> None:
    board("started", {"scope": SCOPE, "left": 600.0, "gpus": ("GPU-1", "GPU-2")})
    board("sample", sample("a\n", 0.5))
    (job,) = live_jobs(tmp_path).values()
    assert (job.gpus, job.share, job.waits) == (("GPU-1", "GPU-2"), 0.5, False)
    assert job.ends == pytest.approx(time.time() + 600, abs=30)
    board("waiting", {"scope": "idea/other/plots"})
    assert live_jobs(tmp_path)["idea/other/plots"].ends == job.ends, "it is the run's"


def test_it_is_no_part_of_the_record_and_the_next_writer_removes_what_was_left(
    tmp_path: Path, board: LiveBoard
) -> None:
    board("sample", sample("a\n"))
    (left,) = tmp_path.iterdir()
    assert not beside_record(left.name)
    remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_is_written_at_most_twice_a_second(tmp_path: Path) -> None:
    board = LiveBoard(tmp_path)
    board("started", {"scope": SCOPE})
    board("sample", sample("a\n"))
    assert live_jobs(tmp_path)[SCOPE].tail == "", "half a second has not passed"
    board("ended", {"scope": SCOPE})
    board = LiveBoard(tmp_path)
    board("sample", sample("a\n"))
    board("sample", sample("a\nb\n"))
    assert live_jobs(tmp_path)[SCOPE].tail == "a\n"


def test_a_folder_that_cannot_be_written_stops_no_job(tmp_path: Path) -> None:
    missing = LiveBoard(tmp_path / "gone" / "file")
    (tmp_path / "gone").write_text("a file")
    missing("sample", sample("a\n"))
    missing("ended", {"scope": SCOPE})


def test_what_is_no_file_of_this_program_is_left_out(tmp_path: Path, board: LiveBoard) -> None:
    board("sample", sample("a\n"))
    (tmp_path / ".new-live-link").symlink_to("/etc/passwd")
    (tmp_path / ".new-live-long").write_bytes(b"x" * (1 << 19))
    (tmp_path / ".new-live-other").write_text('{"scope": "s", "share": 7}')
    (tmp_path / ".new-live-bytes").write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / ".new-live-pipe")
    assert list(live_jobs(tmp_path)) == [SCOPE]


def follower(out: io.StringIO, idea: str = "") -> LogLines:
    return LogLines(
        RunState(lambda body: body.inline, lambda: 0.0),
        lambda body: body.inline,
        since="",
        out=out,
        idea=idea,
        output=20,
    )


def test_a_follower_prints_each_whole_line_once_and_escapes_it() -> None:
    out = io.StringIO()
    log = follower(out)
    text = "one\nt\x1b[2Jwo\nthr"
    log.tell_live(LiveJob(scope=SCOPE, tail=text, printed=len(text)))
    log.tell_live(LiveJob(scope=SCOPE, tail=text, printed=len(text)))
    text += "ee\n"
    log.tell_live(LiveJob(scope=SCOPE, tail=text, printed=len(text)))
    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert lines == [
        "experiments/run_1/attempt_1 prints:",
        "| one",
        "| t\\x1b[2Jwo",
        "| three",
    ]


def test_a_follower_of_a_long_output_goes_on_where_the_end_that_is_kept_begins() -> None:
    out = io.StringIO()
    log = follower(out)
    log.tell_live(LiveJob(scope=SCOPE, tail="a\n", printed=2))
    log.tell_live(LiveJob(scope=SCOPE, tail="y\nz\n", printed=4000))
    assert [line.strip() for line in out.getvalue().splitlines()[1:]] == ["| a", "| y", "| z"]


def test_a_follower_of_one_idea_hears_no_other() -> None:
    out = io.StringIO()
    follower(out, idea="other").tell_live(LiveJob(scope=SCOPE, tail="a\n", printed=2))
    assert out.getvalue() == ""
