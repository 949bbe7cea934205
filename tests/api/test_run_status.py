"""Where runs stand, from their journals and locks alone."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api import live_board
from orchestrator.api.find_run import find_run, id_of
from orchestrator.api.live_board import LiveBoard
from orchestrator.api.locking import is_at_work, only_writer
from orchestrator.api.run_compare import compare_two, pin_differences
from orchestrator.api.run_lines import RunLines, idea_called, read_body
from orchestrator.api.run_list import list_runs
from orchestrator.api.run_state import RunState
from orchestrator.api.run_watch import RunWatch, brief_status, status_of
from orchestrator.console.log_lines import LogLines
from orchestrator.console.run_logs import show_logs
from orchestrator.console.run_status import drawn_status
from orchestrator.core.errors import BadJournal, UnknownName, UserError
from orchestrator.core.files import write
from orchestrator.core.model import Usage
from orchestrator.core.tree import canonical
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import append_line
from orchestrator.record.events import Asked, Body
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Journal
from tests.support import standing_rig as rig
from tests.support.journal_rig import PINS, idea_started, run_started


@pytest.fixture(scope="module")
def said() -> list[Heard]:
    """What a listener of the finished run heard."""
    return []


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, said: list[Heard]) -> Path:
    return rig.results_of_each_state(tmp_path_factory.mktemp("standing"), said.append)


def content(folder: Path) -> dict[str, tuple[int, str]]:
    """Of every file and folder its time of change, and of files a hash."""
    return {
        str(path): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


def test_each_run_is_listed_in_its_state_and_nothing_is_written(runs: Path) -> None:
    before = content(runs)
    with rig.held(runs / rig.WORKING):
        listed = list_runs(runs.parent)
    assert content(runs) == before
    assert [run.folder.name for run in listed] == sorted(
        (path.name for path in runs.iterdir()), reverse=True
    )
    assert {run.folder.name: run.state for run in listed} == {
        rig.FINISHED: "finished",
        rig.STOPPED: "stopped",
        rig.UNFINISHED: "unfinished",
        rig.FAILED: "failed",
        rig.WORKING: "working",
        rig.HOSTILE: "unfinished",
        rig.UNREADABLE: "unreadable",
    }
    by_name = {run.folder.name: run for run in listed}
    assert by_name[rig.FINISHED].counts == {"finished": 1}
    assert by_name[rig.FINISHED].where == ""
    assert by_name[rig.STOPPED].where.endswith(": after plots, as asked")
    assert by_name[rig.UNFINISHED].where.endswith(": plots")
    assert by_name[rig.FAILED].where.endswith(": plots: no figure was drawn")
    assert "a line is not one that aisci writes" in by_name[rig.UNREADABLE].fault


def test_records_of_other_commands_and_of_ideas_are_no_runs(runs: Path, tmp_path: Path) -> None:
    assert list_runs(runs) == (), "the folder of results is one level off"
    other = tmp_path / "reviews" / "20260101_000000"
    journal = Journal(other / "journal.jsonl", BlobStore(other / "blobs"))
    journal.append(idea_started())
    assert list_runs(tmp_path) == ()


def test_a_run_without_lines_is_listed_with_its_fault(tmp_path: Path) -> None:
    write(tmp_path / "quick" / "20260101_000000" / "journal.jsonl", b"")
    (run,) = list_runs(tmp_path)
    assert (run.state, run.next[:11]) == ("unreadable", "aisci audit")
    assert "does not say" in run.fault


def test_a_stage_that_a_record_makes_up_is_in_no_command(runs: Path) -> None:
    made = status_of(runs / rig.FAILED, time.time())
    idea = replace(made.ideas[0], marks=(("plots; rm -rf ~", "failed"),))
    assert replace(made, ideas=(idea,)).next.endswith("--retry experiments")


def test_a_body_that_no_port_writes_is_named_as_such(runs: Path, tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")
    journal = Journal(tmp_path / "journal.jsonl", store)
    journal.append(run_started())
    line = Asked(
        port="sandbox", scope="run/baseline", ord=0, request="", n=1, prev=journal.head,
        at="2026-01-01T00:00:00+00:00", body=Body(inline={}), ceiling=Usage(),
    )  # fmt: skip
    append_line(journal.path, canonical(line))
    with pytest.raises(BadJournal, match="not one that this program wrote"):
        status_of(tmp_path, 0.0)
    with pytest.raises(BadJournal, match="not one that this program wrote"):
        show_logs(str(tmp_path), "", runs, follow=False, output=False)


@pytest.mark.parametrize("name", [rig.FINISHED, rig.STOPPED, rig.UNFINISHED, rig.FAILED])
def test_a_glance_and_the_whole_journals_tell_the_same(runs: Path, name: str) -> None:
    brief, whole = brief_status(runs / name), status_of(runs / name, time.time())
    assert brief.state == whole.state
    assert (brief.counts, brief.where, brief.next) == (whole.counts, whole.where, whole.next)
    assert (brief.tokens, brief.usd, brief.unpriced) == (whole.tokens, whole.usd, whole.unpriced)
    assert whole.worked >= 0


def test_the_next_command_goes_on_from_where_a_run_stands(runs: Path) -> None:
    def after(name: str) -> str:
        return status_of(runs / name, time.time()).next

    assert after(rig.FINISHED) == f"aisci open {runs / rig.FINISHED}"
    assert after(rig.STOPPED) == f"aisci resume {runs / rig.STOPPED}"
    assert after(rig.UNFINISHED) == f"aisci resume {runs / rig.UNFINISHED}"
    assert after(rig.FAILED) == f"aisci resume {runs / rig.FAILED} --retry plots"
    with rig.held(runs / rig.WORKING):
        assert after(rig.WORKING) == f"aisci logs -f {runs / rig.WORKING}"


def test_a_run_is_seen_at_work_and_its_calls_since_when(runs: Path) -> None:
    with rig.held(runs / rig.WORKING):
        (idea,) = status_of(runs / rig.WORKING, time.time()).ideas
    assert dict(idea.marks) == {"novelty": "reached", "experiments": "reached", "plots": "begun"}
    assert [call.what for call in idea.out] == ["editing"]
    assert abs(time.time() - idea.out[0].since) < 600


def test_a_call_of_a_run_at_work_has_the_share_that_its_job_has_done(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(runs / rig.WORKING, folder)
    scope = [line.scope for line in RunLines(folder).more() if isinstance(line, Asked)][-1]
    with rig.held(folder):
        (before,) = status_of(folder, 0.0).ideas
        board = LiveBoard(folder)
        board("waiting", {"scope": scope})
        (waits,) = status_of(folder, 0.0).ideas
        board("started", {"scope": scope, "left": 90.0, "gpus": ("GPU-7",)})
        status = status_of(folder, 0.0)
        monkeypatch.setattr(live_board, "_EACH", 0.0)
        board("sample", {"scope": scope, "share": 0.25, "tail": "", "printed": 0})
        (after,) = status_of(folder, 0.0).ideas
    assert [call.waits for call in waits.out] == [True]
    assert status.ends == pytest.approx(time.time() + 90, abs=30)
    assert [call.gpus for call in after.out] == [("GPU-7",)]
    shown = "\n".join(line.plain for line in drawn_status(status, time.time(), 100))
    assert "ends in about" in shown
    assert [call.share for call in before.out] == [None]
    assert [call.share for call in after.out] == [0.25]
    (ended,) = status_of(folder, 0.0).ideas
    assert [call.share for call in ended.out] == [None], "nobody works on it"


def test_a_look_does_not_hold_up_a_writer(tmp_path: Path) -> None:
    assert not is_at_work(tmp_path)
    with only_writer(tmp_path):
        assert is_at_work(tmp_path)
    assert not is_at_work(tmp_path)


def test_a_writer_waits_for_the_moment_of_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def looked_at() -> Iterator[int]:
        handle = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield handle

    with looked_at() as handle:
        monkeypatch.setattr(time, "sleep", lambda _: os.close(handle))
        with only_writer(tmp_path):
            assert is_at_work(tmp_path)


def test_lines_are_read_as_they_come_up_to_a_torn_one(runs: Path, tmp_path: Path) -> None:
    whole = (runs / rig.FINISHED / "journal.jsonl").read_bytes()
    journal = tmp_path / "journal.jsonl"
    cut = whole.index(b"\n") + 20
    journal.write_bytes(whole[:cut])
    lines = RunLines(tmp_path)
    assert [event.kind for event in lines.more()] == ["run_started"]
    assert lines.more() == []
    journal.write_bytes(whole)
    assert [event.n for event in lines.more()] == list(range(1, whole.count(b"\n")))


def test_a_changed_line_is_no_line_that_is_still_written(runs: Path, tmp_path: Path) -> None:
    lines = (runs / rig.FINISHED / "journal.jsonl").read_bytes().splitlines(keepends=True)
    write(tmp_path / "journal.jsonl", b"".join([lines[0], lines[2]]))
    with pytest.raises(BadJournal, match="chain breaks"):
        RunWatch(tmp_path).look(0.0)


def test_the_lines_of_a_log_come_again_from_the_journals(runs: Path, said: list[Heard]) -> None:
    folder = runs / rig.FINISHED
    texts = []
    for events in (said, RunLines(folder).more()):
        page = io.StringIO()
        tell = LogLines(
            RunState(lambda body: read_body(body, folder), lambda: 0.0),
            lambda body: read_body(body, folder),
            "",
            page,
        )
        for event in events:
            tell(event)
        texts.append(page.getvalue())
    assert texts[0] == texts[1]
    assert "container finished after" in texts[0]


# --- names --------------------------------------------------------------------------------


def test_a_run_is_found_by_its_id_and_by_the_beginning_of_its_time(runs: Path) -> None:
    results = runs.parent
    for name in (f"quick/{rig.FINISHED}", rig.FINISHED, "20260101", "quick/20260101_"):
        assert id_of(find_run(name, results).folder) == f"quick/{rig.FINISHED}"
    with pytest.raises(UserError, match="7 runs have this name") as several:
        find_run("quick/2026", results)
    assert f"quick/{rig.STOPPED}" in several.value.todo
    with pytest.raises(UnknownName) as wrong:
        find_run("quick/20260107_000009", results)
    assert f"did you mean 'quick/{rig.UNREADABLE}'" in wrong.value.todo
    for name in ("", "quick/", "nothing/2026"):
        with pytest.raises(UnknownName):
            find_run(name or "/", results)


def test_an_idea_is_found_by_name_id_or_folder(runs: Path) -> None:
    folder = runs / rig.FINISHED
    inside = rig.idea_journal(folder).parent.name
    found = idea_called(inside, folder)
    assert found.startswith(inside.rpartition("_")[2])
    assert idea_called("sweep", folder) == idea_called(found, folder) == found
    with pytest.raises(UnknownName, match="no such idea") as raised:
        idea_called("other", folder)
    assert inside in raised.value.todo


# --- two runs -----------------------------------------------------------------------------


def test_two_runs_are_compared_also_where_one_ends_in_a_torn_line(runs: Path) -> None:
    found = compare_two(rig.FINISHED, rig.UNFINISHED, runs.parent)
    assert found.pins == ()
    assert found.first.status.state == "finished"
    assert found.second.ideas[0].status == "unfinished"
    baseline = [one for one in found.metrics if one.run == "baseline"]
    assert {one.metric for one in baseline} == {"final_loss_mean", "initial_loss_mean"}
    assert all(one.first == one.second and one.within for one in baseline)
    assert len(found.metrics) > len(baseline)


def test_what_two_runs_were_started_with_is_told_where_it_differs() -> None:
    policy = {"run": {"wall": "4h", "containers": 2}}
    other = {"run": {"wall": "2h", "containers": 3}}
    model = replace(PINS.models[0], name="openai/x")
    first = replace(PINS, policy=replace(PINS.policy, settings=policy))
    second = replace(
        PINS, policy=replace(PINS.policy, settings=other), models=(model,), prompts="y"
    )
    told = {
        one.what: (one.first, one.second, one.verdict) for one in pin_differences(first, second)
    }
    assert told == {
        "model (default)": ("builtin/sweep", "openai/x", ""),
        "prompts": ("x", "y", ""),
        "policy run.wall": ("4h", "2h", "stronger"),
        "policy run.containers": ("2", "3", "weaker"),
    }
