"""The journal's ten rules, each as a promise that a test can break."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import (
    BadJournal,
    BudgetSpent,
    Diverged,
    EngineFailed,
    Interrupted,
    ModelBusy,
    SandboxFailed,
)
from orchestrator.core.model import Ask, Message, ModelRequest, Reply, Usage
from orchestrator.core.research import Run
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.calls import steps
from orchestrator.record.chain import read_lines, set_torn_tail_aside
from orchestrator.record.divergence import first_difference
from orchestrator.record.events import INLINE, JOURNAL_SCHEMA, IdeaForked, Recalled
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import RunFinished, StageBegan
from tests.support.journal_rig import run_started


def opened(folder: Path, mode: Mode = Mode.RECORD) -> Journal:
    journal = Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"), mode)
    if not journal.events:
        journal.append(run_started())
    return journal


class World:
    """Answers every call with its number, and counts how often it was really asked."""

    def __init__(self, *errors: Exception) -> None:
        self.asked: list[str] = []
        self.errors = list(errors)

    def ask(self, journal: Journal, scope: str, request: str, **more: object) -> Reply:
        def make() -> Reply:
            self.asked.append(request)
            if self.errors:
                raise self.errors.pop(0)
            return Reply(f"{request}!", Usage(10, 5, 0.5), "world")

        return journal.call("model", scope, request, Reply, make, **more)  # type: ignore[arg-type]  # forwards keywords


def test_a_recorded_call_is_answered_from_the_record_and_never_asked_again(tmp_path: Path) -> None:
    world = World()
    first = world.ask(opened(tmp_path), "run/ideas", "q")
    again = world.ask(opened(tmp_path, Mode.RESUME), "run/ideas", "q")
    replayed = world.ask(opened(tmp_path, Mode.REPLAY), "run/ideas", "q")
    assert first == again == replayed
    assert world.asked == ["q"]


def test_equal_requests_in_one_scope_stay_separate_calls(tmp_path: Path) -> None:
    world, journal = World(), opened(tmp_path)
    for _ in range(5):
        world.ask(journal, "run/review", "same")
    assert len(world.asked) == 5


def test_another_request_at_the_same_place_diverges_and_names_the_difference(
    tmp_path: Path,
) -> None:
    world = World()
    world.ask(opened(tmp_path), "run/ideas", "the old question")
    for mode in (Mode.RESUME, Mode.REPLAY):
        with pytest.raises(Diverged, match=r"model call number 1 in 'run/ideas'") as caught:
            world.ask(opened(tmp_path, mode), "run/ideas", "the new question")
        assert "old" in caught.value.where
        assert "new" in caught.value.where
    assert world.asked == ["the old question"]


def test_a_fork_asks_a_changed_request_anew_and_keeps_the_unchanged_ones(tmp_path: Path) -> None:
    world, journal = World(), opened(tmp_path)
    world.ask(journal, "run/ideas", "same")
    world.ask(journal, "run/ideas", "old")
    forked = opened(tmp_path, Mode.FORK)
    world.ask(forked, "run/ideas", "same")
    assert world.ask(forked, "run/ideas", "new").text == "new!"
    assert world.asked == ["same", "old", "new"]


def test_a_replay_never_makes_a_call_of_its_own(tmp_path: Path) -> None:
    opened(tmp_path)
    world = World()
    with pytest.raises(Diverged, match="never recorded"):
        world.ask(opened(tmp_path, Mode.REPLAY), "run/ideas", "q")
    assert world.asked == []


def test_resume_asks_transient_failures_again_and_replay_gives_all_as_they_were(
    tmp_path: Path,
) -> None:
    world = World(ModelBusy("busy"), SandboxFailed("no"))
    journal = opened(tmp_path)
    for request, kind in (("a", ModelBusy), ("b", SandboxFailed)):
        with pytest.raises(kind):
            world.ask(journal, f"run/{request}", request)
    with pytest.raises(ModelBusy, match="busy"):
        world.ask(opened(tmp_path, Mode.REPLAY), "run/a", "a")
    resumed = opened(tmp_path, Mode.RESUME)
    assert world.ask(resumed, "run/a", "a").text == "a!"
    with pytest.raises(SandboxFailed, match="no"):
        world.ask(resumed, "run/b", "b")
    assert world.asked == ["a", "b", "a"]


def test_a_call_whose_answer_was_lost_is_charged_at_its_ceiling_and_asked_again(
    tmp_path: Path,
) -> None:
    world, journal = World(KeyboardInterrupt()), opened(tmp_path)  # type: ignore[arg-type]  # a kill is no Exception
    ceiling = Usage(100, 50, 2.0)
    with pytest.raises(KeyboardInterrupt):
        world.ask(journal, "run/ideas", "q", ceiling=ceiling)
    resumed = opened(tmp_path, Mode.RESUME)
    assert resumed.ledger.total() == ceiling
    world.ask(resumed, "run/ideas", "q", ceiling=ceiling)
    assert resumed.ledger.total() == Usage(110, 55, 2.5)
    assert world.asked == ["q", "q"]


def test_the_budget_is_checked_for_outgoing_calls_only(tmp_path: Path) -> None:
    world, journal = World(), opened(tmp_path)
    world.ask(journal, "run/ideas", "q")
    resumed = opened(tmp_path, Mode.RESUME)
    budget = JournalBudget(usd=0.6)
    admit = {"admit": lambda more: budget.admit(resumed, more, paid=True)}
    world.ask(resumed, "run/ideas", "q", ceiling=Usage(1, 1, 0.5), **admit)
    with pytest.raises(BudgetSpent, match=r"1 of 0\.6 US dollars") as spent:
        world.ask(resumed, "run/ideas", "more", ceiling=Usage(1, 1, 0.5), **admit)
    assert "--max-usd" in spent.value.where
    assert "`aisci resume RUN --max-usd N`" in spent.value.todo
    assert world.asked == ["q"]


def test_a_price_that_is_not_known_makes_the_total_unknown_not_zero(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.call("model", "s", "q", Reply, lambda: Reply("x", Usage(1, 1, None), "m"))
    assert journal.ledger.total().usd is None


def test_bodies_over_the_limit_live_in_blobs(tmp_path: Path) -> None:
    world, journal = World(), opened(tmp_path)
    big = "x" * (INLINE + 1)
    assert world.ask(journal, "run/ideas", big).text == big + "!"
    assert all(len(line) < 4096 for line in (tmp_path / "journal.jsonl").read_bytes().split(b"\n"))
    assert world.ask(opened(tmp_path, Mode.REPLAY), "run/ideas", big).text == big + "!"


def test_a_note_must_come_again_as_it_was(tmp_path: Path) -> None:
    opened(tmp_path).note("run", StageBegan(name="ideas"))
    opened(tmp_path, Mode.REPLAY).note("run", StageBegan(name="ideas"))
    resumed = opened(tmp_path, Mode.RESUME)
    resumed.note("run", StageBegan(name="ideas"))
    assert len(resumed.events) == 2
    with pytest.raises(Diverged, match="note 'stage'"):
        opened(tmp_path, Mode.REPLAY).note("run", StageBegan(name="other"))


def test_after_a_fork_only_the_present_branch_counts(tmp_path: Path) -> None:
    def ask(journal: Journal, scope: str, text: str) -> None:
        request = ModelRequest("m", Ask(purpose="p", messages=(Message("user", text),)))
        journal.call("model", scope, request, Reply, lambda: Reply("!", Usage(1, 1, 0.0), "m"))

    first = opened(tmp_path)
    for scope in ("run/a", "run/b"):
        ask(first, scope, "same")
    forked = opened(tmp_path, Mode.FORK)
    forked.append(IdeaForked())
    assert steps(forked) == ()
    ask(forked, "run/a", "same")
    ask(forked, "run/a", "new")
    again = opened(tmp_path, Mode.RESUME)
    ask(again, "run/a", "same")
    for journal in (forked, again, opened(tmp_path, Mode.REPLAY)):
        assert [step.scope for step in steps(journal)] == ["run/a", "run/a"]
        assert [step.scope for step in steps(journal, left=True)] == ["run/b"]
    assert [event.kind for event in again.events].count("recalled") == 1
    assert again.ledger.requests == 3, "what was paid stays paid"


@pytest.mark.parametrize("again", [False, True])
def test_a_record_that_recalls_what_no_earlier_branch_asked_is_refused(
    tmp_path: Path, *, again: bool
) -> None:
    journal, world = opened(tmp_path), World()
    world.ask(journal, "run/a", "same")
    line = Recalled(port="model", scope="run/a" if again else "run/c", ord=0, request="0")
    with pytest.raises(ValueError, match="no earlier branch"):
        journal.append(line)
    with pytest.raises(BadJournal):
        opened(tmp_path, Mode.RESUME)


def test_a_note_of_an_earlier_branch_does_not_count_until_it_comes_again(tmp_path: Path) -> None:
    first, second = (
        RunFinished(
            run=Run(
                number=1,
                name="n",
                code=Tree(),
                files=Tree(),
                description="d",
                attempts=tries,
                seconds=1.0,
            )
        )
        for tries in (1, 2)
    )
    opened(tmp_path).note("idea/run_1", first)
    forked = opened(tmp_path, Mode.FORK)
    forked.append(IdeaForked())
    assert forked.notes(RunFinished, below="idea") == []
    forked.note("idea/run_1", second)
    resumed = opened(tmp_path, Mode.RESUME)
    assert resumed.notes(RunFinished, below="idea") == [second]
    assert resumed.notes(RunFinished, below="idea", now=True) == []


@given(line=st.integers(0, 5), at=st.integers(0, 10_000), value=st.integers(0, 255))
def test_any_changed_byte_of_any_line_is_found(
    tmp_path_factory: pytest.TempPathFactory, line: int, at: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal, world = opened(folder), World()
    for request in "ab":
        world.ask(journal, "run", request)
    journal.seal()
    head = journal.head
    path = folder / "journal.jsonl"
    raws = path.read_bytes().split(b"\n")[:-1]
    place = at % len(raws[line])
    changed = raws[line][:place] + bytes([value]) + raws[line][place + 1 :]
    path.write_bytes(b"\n".join([*raws[:line], changed, *raws[line + 1 :], b""]))
    if changed == raws[line]:
        return
    try:
        found = [where for _, where in read_lines(path)][-1]
    except BadJournal:
        found = "refused"
    assert found != head
    assert found == "refused" or line == len(raws) - 1  # the last line shows in the head alone


def test_a_removed_or_swapped_line_is_found(tmp_path: Path) -> None:
    journal, world = opened(tmp_path), World()
    for request in "abc":
        world.ask(journal, "run", request)
    path = tmp_path / "journal.jsonl"
    raws = path.read_bytes().split(b"\n")
    for damaged in ([*raws[:2], *raws[3:]], [raws[0], raws[2], raws[1], *raws[3:]]):
        path.write_bytes(b"\n".join(damaged))
        with pytest.raises(BadJournal, match="chain breaks"):
            list(read_lines(path))


def test_a_torn_last_line_is_refused_and_can_be_set_aside(tmp_path: Path) -> None:
    journal, world = opened(tmp_path), World()
    world.ask(journal, "run", "a")
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"n":3,"pre')
    with pytest.raises(BadJournal, match="torn") as caught:
        opened(tmp_path, Mode.RESUME)
    assert "aisci resume" in caught.value.todo
    assert set_torn_tail_aside(path) == 11
    assert path.read_bytes() == whole
    assert (tmp_path / "journal.torn").read_bytes().startswith(b'{"n":3')
    assert world.ask(opened(tmp_path, Mode.RESUME), "run", "a").text == "a!"


def test_a_journal_of_another_schema_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", BlobStore(tmp_path / "blobs"))
    journal.append(replace(run_started(), schema=JOURNAL_SCHEMA + 1))
    with pytest.raises(BadJournal, match=f"schema {JOURNAL_SCHEMA + 1}"):
        opened(tmp_path, Mode.RESUME)


def test_a_missing_and_a_changed_blob_are_found(tmp_path: Path) -> None:
    world, journal = World(), opened(tmp_path)
    world.ask(journal, "run", "x" * (INLINE + 1))
    blob = next((tmp_path / "blobs").iterdir())
    blob.write_bytes(b"changed")
    with pytest.raises(BadJournal, match="changed"):
        opened(tmp_path, Mode.REPLAY)
    blob.unlink()
    with pytest.raises(BadJournal, match="missing"):
        opened(tmp_path, Mode.REPLAY)


def test_a_seal_carries_the_count_and_the_head(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    before = journal.head
    journal.seal()
    last = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[-1])
    assert (last["count"], last["head"]) == (1, before)
    assert opened(tmp_path, Mode.RESUME).sealed


def test_the_first_difference_is_named_by_its_path() -> None:
    known = {"a": [1, {"b": "same words, then this"}]}
    now = {"a": [1, {"b": "same words, then that"}]}
    path, before, after = first_difference(known, now)
    assert path == "a[1].b"
    assert (before, after) == ('"same words, then this"', '"same words, then that"')


def test_an_error_that_a_stop_brought_about_is_no_answer(tmp_path: Path) -> None:
    def make() -> Reply:
        try:
            raise KeyboardInterrupt
        finally:
            raise EngineFailed("cleaning up was cut short")

    journal = opened(tmp_path)
    with pytest.raises(Interrupted):
        journal.call("model", "run", "q", Reply, make)
    assert [event.kind for event in journal.events] == ["run_started", "asked"]
