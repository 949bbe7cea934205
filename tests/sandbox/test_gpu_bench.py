"""What the bench of a GPU says of a run follows from when jobs held it and what the driver said."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api.prepare import RunRequest
from tests.support.gpu_bench import ROWS, Held, place_of, told


def test_as_many_ideas_are_in_flight_as_were_asked_for(tmp_path: Path) -> None:
    request = RunRequest(template="grokking", parallel=4, results=tmp_path)
    assert place_of(request).parallel == 4


def test_the_share_counts_from_the_first_job_after_the_baseline() -> None:
    held = Held(spans={"a": [0.0, 9.0], "b": [10.0, 25.0], "c": [30.0, 45.0], "cut": [48.0]})
    held.seen = [(12.0, 40, 2 << 30), (12.5, 60, 2 << 30)]
    done = told(held, wall=50.0)
    assert done["lent_of_the_time"] == 0.75
    assert done["jobs"] == 3
    read = [(at, value) for at, value in enumerate(done["busy_percent"]) if value is not None]
    assert (len(done["busy_percent"]), read) == (ROWS, [(9, 40.0), (10, 60.0)])


def test_two_jobs_at_once_are_seen() -> None:
    held = Held()
    for job in "ab":
        held.on_event("started", {"job": job, "gpus": ("GPU-1",)})
    held.on_event("started", {"job": "plot", "gpus": ()})
    held.on_event("ended", {"job": "a"})
    assert (held.at_once, sorted(held.spans)) == (2, ["a", "b"])
