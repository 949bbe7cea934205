"""Ideas in flight: side by side as one after another, within one budget, stopped together."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.api.parallel import one_teller
from orchestrator.core.deadline import FOREVER, Deadline, bounded
from orchestrator.core.errors import BudgetSpent, Interrupted, KeyRefused
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.outlook import Outlook, WorkLeft
from orchestrator.core.research import Idea
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.events import Answered, Body
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.live_use import LiveUse, time_at_work
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.in_flight import in_flight
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from tests.research.test_changes import Author, numbered, same_again
from tests.research.test_fault_campaign import Crash, crash_at
from tests.support import run_rig as rig
from tests.support.sample import some

pytestmark = pytest.mark.program

IDEAS = 4


def fly(
    folder: Path,
    author: Author,
    parallel: int,
    mode: Mode = Mode.RECORD,
    crash: int = 0,
    outlook: Outlook | None = None,
    **changes: Any,
) -> tuple[PursuedIdea, ...]:
    made = replace(rig.setup(folder.parent), ideas=IDEAS, **changes)
    scripted, shared = rig.scripted_edges(author), outlook or Outlook()

    def edges(blobs: BlobStore) -> Edges:
        return replace(scripted(blobs), outlook=shared)

    listener = one_teller(crash_at(crash))
    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=listener)
    return research(made, replace(rig.place(folder, mode), parallel=parallel), tools)


def products(folder: Path) -> dict[str, bytes]:
    """What an idea leaves, without what says when."""
    names = ("experiment.py", "plot.py", "notes.txt", "latex/template.tex", "review.txt")
    paths = [path for name in names for path in folder.glob(f"*/{name}")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


class Slow(Author):
    """An author that takes a moment, and counts how many ask at once."""

    def __init__(self, seconds: float = 0.01) -> None:
        super().__init__(numbered)
        self.seconds, self.now, self.most, self.lock = seconds, 0, 0, threading.Lock()

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            bounded(lambda: time.sleep(self.seconds), within, ask.purpose)
            return super().complete(ask, within)
        finally:
            with self.lock:
                self.now -= 1


def test_ideas_side_by_side_end_as_one_after_another(tmp_path: Path) -> None:
    one = fly(tmp_path / "one", Author(numbered), 1)
    author = Slow()
    four = fly(tmp_path / "four", author, 4)
    assert author.most > 1
    assert [o.study.idea for o in four] == [o.study.idea for o in one]
    assert [o.status for o in four] == ["finished"] * IDEAS
    assert products(tmp_path / "four") == products(tmp_path / "one")
    same_again(tmp_path / "four", tmp_path / "again")


def test_the_longest_ideas_begin_first_and_all_stay_in_their_order(tmp_path: Path) -> None:
    runs = (1, None, 6, 2)
    given = tuple(
        Idea(name=f"idea_{number}", title=f"Idea {number}", experiment="Change it.", runs=count)
        for number, count in enumerate(runs, start=1)
    )
    heard = Heard()
    outcomes = fly(tmp_path / "two", Author(numbered), 2, outlook=heard, given=given)
    assert [one.study.idea for one in outcomes] == [*given]
    assert heard.to_come == [(1, None, 2), (1, 2), (1,), ()], "one that says nothing takes the mean"
    fly(tmp_path / "one", Author(numbered), 1, given=given)
    assert products(tmp_path / "two") == products(tmp_path / "one")
    same_again(tmp_path / "two", tmp_path / "again")
    heard = Heard()
    fly(tmp_path / "four", Author(numbered), 4, outlook=heard, given=given)
    assert heard.to_come[0] == runs[1:], "where all are in flight, the first begins first"


def test_one_idea_that_fails_holds_up_nothing_else(tmp_path: Path) -> None:
    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "experiment.edit" and "idea_2" in json.dumps(
            [message.content for message in ask.messages]
        ):
            return "I would rather talk."
        return numbered(ask, number)

    outcomes = fly(tmp_path / "run", Author(change), 3)
    assert [one.status for one in outcomes] == ["finished", "failed", "finished", "finished"]


class Heard(Outlook):
    """Keeps what stages tell it, and believes something else."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[tuple[str, int, float]] = []
        self.to_come: list[Sequence[int | None]] = []

    def expect(self, scope: str, runs: int, seconds: float) -> None:
        self.expected.append((scope, runs, seconds))
        super().expect(scope, 97 - runs, -seconds)

    def coming(self, runs: Sequence[int | None]) -> None:
        self.to_come.append(runs)
        super().coming(runs)


def test_stages_tell_the_runs_that_are_left_and_no_result_depends_on_it(tmp_path: Path) -> None:
    heard = Heard()
    fly(tmp_path / "told", Author(numbered), 2, outlook=heard)
    fly(tmp_path / "plain", Author(numbered), 2)
    assert products(tmp_path / "told") == products(tmp_path / "plain")
    same_again(tmp_path / "told", tmp_path / "again")
    ideas = {scope.split("/")[1] for scope, *_ in heard.expected}
    assert len(ideas) == IDEAS
    for idea in ideas:
        runs = [runs for scope, runs, _ in heard.expected if f"/{idea}/experiments" in scope]
        assert runs == [*range(len(runs) - 1, -1, -1)]
        assert len(runs) > 1
    assert all(seconds > 0 for _, runs, seconds in heard.expected if runs)
    assert heard.to_come == [(None,) * left for left in range(IDEAS - 1, -1, -1)]
    assert heard.work_left() == WorkLeft({}, 0, heard.work_left().whole), "none is in flight"


class Stopping(Slow):
    """The person stops the run while this author answers."""

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        if ask.purpose == "notes.edit":
            raise KeyRefused("the key is refused", where=ask.purpose, todo="another key")
        return super().complete(ask, within)


def test_what_stops_the_run_stops_every_idea_and_resume_pays_nothing_twice(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused):
        fly(tmp_path / "run", Stopping(), 4)
    paid = {
        (line["scope"], line["ord"])
        for path in (tmp_path / "run").glob("*/journal.jsonl")
        for line in map(json.loads, path.read_text().splitlines())
        if line["kind"] == "answered" and line["port"] == "model"
    }
    author = Slow()
    outcomes = fly(tmp_path / "run", author, 4, Mode.RESUME)
    assert [one.status for one in outcomes] == ["finished"] * IDEAS
    whole = Author(numbered)
    fly(tmp_path / "whole", whole, 1)
    assert author.asked.total() <= whole.asked.total() - len(paid)
    same_again(tmp_path / "run", tmp_path / "again")


@pytest.mark.sampled
def test_crashed_at_any_line_ideas_in_flight_end_in_the_same_files(tmp_path: Path) -> None:
    """What was out in the other threads is asked again; nothing that was answered is."""
    whole = Author(numbered)
    fly(tmp_path / "whole", whole, 1)
    for at in some(range(10, 4 * 90), 2, "in flight"):
        folder, first, second = tmp_path / str(at) / "run", Slow(0.002), Slow(0.002)
        with pytest.raises(Crash):
            fly(folder, first, IDEAS, crash=at)
        second.asked.update(first.asked)  # so that it numbers its ideas on from there
        outcomes = fly(folder, second, IDEAS, Mode.RESUME)
        assert [one.status for one in outcomes] == ["finished"] * IDEAS, at
        assert products(folder) == products(tmp_path / "whole"), at
        assert whole.asked.total() <= second.asked.total() < whole.asked.total() + IDEAS, at
        same_again(folder, tmp_path / str(at) / "again")


def test_a_stop_reaches_every_thread_long_before_what_it_waits_for_ends() -> None:
    stop, ended = threading.Event(), []

    def works() -> Iterator[Any]:
        def work(number: int) -> int:
            within = replace(FOREVER, stop=stop)
            try:
                bounded(lambda: time.sleep(60), within, f"work {number}")
            except Interrupted:
                ended.append(time.monotonic())
                raise
            return number

        for number in range(3):
            yield lambda number=number: work(number)
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_flight(works(), 8, stop, lambda _: None)
    assert len(ended) == 3
    assert max(ended) - began < 20, "not the minute that each would have waited"


class OneCall:
    """A model whose call may cost one request, and takes a moment."""

    name = "scripted"

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002 - the port's
        return Usage(requests=1)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:  # noqa: ARG002 - the port's
        time.sleep(0.002)
        return Reply("said", Usage(1, 1, 0.0, requests=1), "x")


def ports_of(folder: Path, budget: JournalBudget, live: LiveUse) -> Ports:
    blobs = BlobStore(folder / "blobs")
    journal = Journal(folder / "journal.jsonl", blobs)
    live.follow(journal)
    edges = rig.scripted_edges(OneCall())(blobs)
    return Ports(edges, journal, blobs, JournalBudget().within(budget), "idea/x")


def test_two_ideas_never_take_the_same_rest_of_a_budget(tmp_path: Path) -> None:
    """Eight threads, one budget: what is admitted and not yet answered counts at its ceiling."""
    live = LiveUse({})
    budget = JournalBudget(of="run", requests=20, live=live)
    journals = [ports_of(tmp_path / str(n), budget, live) for n in range(8)]
    admitted = []

    def spend(ports: Ports) -> None:
        try:
            while True:
                ports.complete(Ask(purpose="x", messages=()))
                admitted.append(1)
        except BudgetSpent:
            pass

    threads = [threading.Thread(target=spend, args=(ports,)) for ports in journals]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(admitted) == 20
    assert live.total().requests == 20


def test_open_ended_ideas_in_flight_know_the_scores_there_are(tmp_path: Path) -> None:
    outcomes = fly(tmp_path / "run", Author(numbered), 2, open_ended=True)
    assert [one.status for one in outcomes] == ["finished"] * IDEAS
    same_again(tmp_path / "run", tmp_path / "again")


def test_elapsed_time_counts_a_second_once() -> None:
    def call(ended: int, seconds: float) -> Answered:
        return Answered(
            n=0, at=f"2026-01-01T00:00:{ended:02}+00:00", scope="idea/x", port="model", ord=0,
            request="", body=Body(), seconds=seconds,
        )  # fmt: skip

    side_by_side = [call(10, 10.0), call(8, 4.0), call(12, 5.0)]
    apart = [call(30, 2.0)]
    assert time_at_work([*side_by_side, *apart]) == pytest.approx(14.0)
    assert time_at_work([]) == 0.0
