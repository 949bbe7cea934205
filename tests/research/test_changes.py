"""Off the straight line: ideas that repeat, fail or are edited, and runs that go on under other rules."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter, differences
from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import (
    AisciError,
    BadFile,
    BadJournal,
    BadReply,
    BadTemplate,
    BudgetSpent,
    Diverged,
    KeyRefused,
    ModelBusy,
    ModelRefused,
)
from orchestrator.core.files import remove_unfinished
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.research import TrainingComparison
from orchestrator.policy.policy import lowered
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import StagesAsked
from orchestrator.record.paths import RunPaths
from orchestrator.report.reading import read_idea, read_run
from orchestrator.research.pins import read_pins, spec_of, template_of
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps, RunSpec
from orchestrator.research.sweep import SweepModel
from orchestrator.template.results import require_held
from tests.support import run_rig as rig

Change = Callable[[Ask, int], str | None]


@dataclass
class Author:
    """``builtin/sweep`` that counts its calls, and says what ``change`` says where it says any."""

    change: Change = lambda _ask, _number: None
    name: str = "builtin/sweep"
    asked: Counter[str] = field(default_factory=Counter)

    def ceiling(self, ask: Ask) -> Usage:
        return SweepModel().ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:  # noqa: ARG002  # the port's signature
        self.asked[ask.purpose] += 1
        said = self.change(ask, self.asked[ask.purpose])
        return Reply(said, Usage(1, 1, 0.0), "x") if said is not None else _sweep(ask)


def _sweep(ask: Ask) -> Reply:
    """The sweep's reply, as if the idea were its own, whatever it is called."""
    named_ideas = re.compile(r'("idea": \{\s*"name": )"[^"]*"')
    messages = (
        replace(one, content=named_ideas.sub(r'\1"sweep_step_size"', one.content))
        for one in ask.messages
    )
    return SweepModel().complete(replace(ask, messages=tuple(messages)))


def go(
    folder: Path,
    author: Author,
    mode: Mode = Mode.RECORD,
    asked: StagesAsked | None = None,
    **changes: Any,
) -> tuple[PursuedIdea, ...]:
    """A run on scripted edges; ``changes`` replace fields of its set-up."""
    made = replace(rig.setup(folder.parent), **changes)
    tools = RunDeps(
        edges=rig.scripted_edges(author), exporter=FileExporter(), listener=lambda _: None
    )
    return research(made, replace(rig.place(folder, mode), asked=asked), tools)


def pinned(folder: Path) -> RunSpec:
    """The set-up that the record says, as resume and replay read it."""
    pins = read_pins(RunPaths(folder))
    return spec_of(pins, template_of(pins, RunPaths(folder)))


def same_again(folder: Path, made: Path, model: str = "builtin/sweep") -> None:
    """A replay of the run gives the same files, by its own record alone."""
    tools = RunDeps(edges=lambda _: absent(model), exporter=FileExporter(), listener=lambda _: None)
    research(pinned(folder), rig.place(folder, Mode.REPLAY, made), tools)
    assert differences(made, folder)[1] == []


def named(name: str, experiment: str) -> str:
    title = f"A title for {experiment}"
    idea = {"name": name, "title": title, "experiment": experiment, "done": True}
    return f"```json\n{json.dumps(idea)}\n```"


def numbered(ask: Ask, number: int) -> str | None:
    if ask.purpose == "ideas.propose":
        return named(f"idea_{number}", f"turn knob number {number}")
    return None


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(raw) for raw in (folder / "journal.jsonl").read_text().splitlines()]


# --- ideas --------------------------------------------------------------------------------


def test_an_idea_proposed_again_is_noted_and_left_out(tmp_path: Path) -> None:
    def change(ask: Ask, number: int) -> str | None:
        experiment = ("turn the first knob", "turn the first knob", "turn the second knob")
        propose = ask.purpose == "ideas.propose"
        return named(f"name_{number}", experiment[number - 1]) if propose else None

    outcomes = go(tmp_path / "run", Author(change), ideas=3)
    assert [outcome.study.idea.name for outcome in outcomes] == ["name_1", "name_3"]
    notes = [line for line in lines(tmp_path / "run") if line.get("name") == "duplicate"]
    assert [note["body"]["inline"]["number"] for note in notes] == [2]


def test_a_model_that_only_repeats_a_seed_idea_ends_the_run_with_what_to_do(
    tmp_path: Path,
) -> None:
    seed = rig.setup(tmp_path).template.seed_ideas()[0]
    idea = {"name": "mine", "title": seed.title, "experiment": seed.experiment, "done": True}
    said = f"```json\n{json.dumps(idea)}\n```"
    author = Author(lambda ask, _: said if ask.purpose == "ideas.propose" else None)
    with pytest.raises(BadReply, match="no idea beyond the template's own") as caught:
        go(tmp_path / "run", author, ideas=2)
    assert "--ideas" in caught.value.todo


def test_two_ideas_of_one_name_have_a_folder_each(tmp_path: Path) -> None:
    def change(ask: Ask, number: int) -> str | None:
        propose = ask.purpose == "ideas.propose"
        return named("same name", f"turn knob number {number}") if propose else None

    go(tmp_path / "run", Author(change), ideas=2)
    assert len(list((tmp_path / "run").glob("same_name_*/journal.jsonl"))) == 2


def test_one_idea_not_novel_and_one_that_fails_do_not_stop_the_third(tmp_path: Path) -> None:
    """The failed idea keeps its finished runs and has a report; the run reports all three."""

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "ideas.propose":
            return named(f"idea_{number}", f"turn knob number {number}")
        if ask.purpose == "novelty.decide" and number == 2:  # after a search
            said = {"decision": "not novel", "paper": "kingma2015adam", "reason": "done before"}
            return f"```json\n{json.dumps(said)}\n```"
        if ask.purpose == "notes.edit" and number == 1:
            raise ModelRefused("no")
        return None

    folder = tmp_path / "run"
    outcomes = go(folder, Author(change), ideas=3)
    assert [outcome.status for outcome in outcomes] == ["not novel", "failed", "finished"]
    failed = next(folder.glob("idea_2_*"))
    assert (failed / "run_1" / "final_info.json").is_file()
    assert (failed / "run_1.py").is_file()
    page = (folder / "report.html").read_text()
    for idea in ("idea_1", "idea_2", "idea_3"):
        assert len(list(folder.glob(f"{idea}_*/report.html"))) == 1
        assert idea in page
    assert "done before" in next(folder.glob("idea_1_*/journal.jsonl")).read_text()
    same_again(folder, tmp_path / "again")


def test_edited_ideas_are_taken_up_recorded_and_replayed(tmp_path: Path) -> None:
    folder, author = tmp_path / "run", Author()
    first = go(folder, author)[0].study.idea
    path = folder / "ideas.json"
    rows = json.loads(path.read_text())
    rows[0]["Title"] = "My own title"
    path.write_text(json.dumps(rows))
    outcome = go(folder, author, Mode.RESUME)[0]
    assert (outcome.status, outcome.study.idea.title) == ("finished", "My own title")
    assert author.asked["ideas.propose"] == 1
    assert RunPaths(folder).idea(first).folder.is_dir(), "what was done before stays"
    assert [line for line in lines(folder) if line.get("name") == "ideas_edited"]
    before = (folder / "journal.jsonl").read_bytes()
    go(folder, author, Mode.RESUME)
    assert (folder / "journal.jsonl").read_bytes() == before, "one edit is one event"
    same_again(folder, tmp_path / "again")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "EOF"),
        ("3", "valid array"),
        ("[]", "at least 1"),
        ('[{"Name": "a"}]', "idea 1: Title: Field required"),
        ('[{"Name": "a", "Title": "b", "Experiment": "c", "Cost": 1}]', "Cost"),
        (json.dumps([{"Name": "a", "Title": "b", "Experiment": "c"}] * 2), "'a'"),
    ],
)
def test_ideas_that_cannot_be_read_are_refused_before_anything_is_asked(
    text: str, said: str, tmp_path: Path
) -> None:
    folder, author = tmp_path / "run", Author()
    with pytest.raises(KeyRefused):
        go(folder, Author(refusing("novelty.decide")))
    (folder / "ideas.json").write_text(text)
    with pytest.raises(BadFile) as caught:
        go(folder, author, Mode.RESUME)
    assert said in caught.value.why
    assert not author.asked


def refusing(purpose: str) -> Change:
    def change(ask: Ask, _number: int) -> str | None:
        if ask.purpose == purpose:
            raise KeyRefused("no")
        return None

    return change


# --- forks --------------------------------------------------------------------------------


def test_a_spent_budget_goes_on_under_a_wider_policy_and_repeats_nothing(tmp_path: Path) -> None:
    """The fork pins the wider policy: a later resume and a replay need no word about it."""
    folder, author = tmp_path / "run", Author()
    wide = rig.setup(tmp_path).policy
    narrow = lowered(wide, {"idea.budget.requests": 4})
    failed = go(folder, author, policy=narrow)[0]
    assert failed.failure is not None
    assert failed.failure.error == BudgetSpent.__name__
    assert "--fork --policy" in failed.failure.todo
    asked = author.asked.copy()
    assert go(folder, author, Mode.RESUME, policy=narrow)[0].status == "failed"
    assert author.asked == asked
    assert go(folder, author, Mode.FORK, policy=wide)[0].status == "finished"
    whole = Author()
    go(tmp_path / "whole", whole, policy=wide)
    assert author.asked == whole.asked, "no recorded call was made again"
    jobs = [line for line in lines(folder) if line["kind"] == "asked" and line["port"] == "sandbox"]
    assert len(jobs) == 1, "the baseline was not run again"
    assert pinned(folder).policy.hash == wide.hash
    same_again(folder, tmp_path / "again")


def two_ideas(
    folder: Path, fail: type[AisciError] | None, mode: Mode, requests: int
) -> tuple[Author, tuple[PursuedIdea, ...]]:
    """A run of two ideas and so many requests; notes of the first one fail, if so."""

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "notes.edit" and number == 1 and fail:
            raise fail("not now")
        return numbered(ask, number)

    policy = lowered(
        rig.setup(folder.parent).policy,
        {"run.budget.requests": requests, "idea.budget.requests": min(requests, 400)},
    )
    author = Author(change)
    return author, go(folder, author, mode, ideas=2, policy=policy)


def test_a_resumed_idea_leaves_the_runs_budget_what_the_ideas_after_it_have_used(
    tmp_path: Path,
) -> None:
    """The first idea's vendor was busy; what the second one then took is not there for it again."""
    whole, outcomes = two_ideas(tmp_path / "whole", None, Mode.RECORD, 400)
    assert [outcome.status for outcome in outcomes] == ["finished", "finished"]
    need = sum(whole.asked.values())
    folder = tmp_path / "run"
    first, outcomes = two_ideas(folder, ModelBusy, Mode.RECORD, need - 2)
    assert [outcome.status for outcome in outcomes] == ["failed", "finished"]
    again, outcomes = two_ideas(folder, None, Mode.RESUME, need - 2)
    assert sum((first.asked + again.asked).values()) <= need - 2
    failure = outcomes[0].failure
    assert failure is not None
    assert failure.error == BudgetSpent.__name__
    assert f"{need - 1} of {need - 2} requests" in failure.what
    assert "run.budget.requests" in failure.where


def test_an_idea_that_finds_the_runs_budget_spent_says_all_that_was_used_of_it(
    tmp_path: Path,
) -> None:
    policy = lowered(
        rig.setup(tmp_path).policy, {"run.budget.requests": 6, "idea.budget.requests": 6}
    )
    outcomes = go(tmp_path / "run", Author(numbered), ideas=2, policy=policy)
    failures = [outcome.failure for outcome in outcomes]
    assert all(
        failure and "the next call could pass the budget: 7 of 6 requests" in failure.what
        for failure in failures
    ), failures


def test_a_fork_under_a_changed_template_asks_anew_and_then_replays(tmp_path: Path) -> None:
    folder, author = tmp_path / "run", Author()
    go(folder, author)
    made = rig.setup(tmp_path)
    changed = dict(made.template.files)
    changed["experiment.py"] = changed["experiment.py"].replace(b"POINTS = 40", b"POINTS = 41")
    other = replace(made.template, files=changed)
    with pytest.raises(Diverged):
        go(folder, author, Mode.RESUME, template=other)
    assert go(folder, author, Mode.FORK, template=other)[0].status == "finished"
    assert pinned(folder).template.files["experiment.py"] == changed["experiment.py"]
    same_again(folder, tmp_path / "again")


def test_a_report_after_a_fork_tells_of_the_present_branch_alone(tmp_path: Path) -> None:
    folder, author = tmp_path / "run", Author()
    (before,) = go(folder, author)
    made = rig.setup(tmp_path)
    source = b"# other\n" + made.template.files["experiment.py"]
    changed = {**made.template.files, "experiment.py": source}
    refusing = Author(lambda ask, _: "No." if ask.purpose == "experiment.edit" else None)
    (after,) = go(folder, refusing, Mode.FORK, template=replace(made.template, files=changed))
    assert (before.status, after.status) == ("finished", "failed")
    paths = RunPaths(folder)
    run, idea = (
        Journal(at.journal, BlobStore(at.blobs, BlobStore(paths.blobs)), Mode.REPLAY)
        for at in (paths, paths.idea(after.study.idea))
    )
    facts = read_idea(idea, read_run(run))
    assert facts.status == "failed"
    assert [one.number for one in facts.runs] == [0]
    assert facts.reached.paper is None
    assert len(facts.paid) == idea.ledger.requests > len(facts.of("model"))
    same_again(folder, tmp_path / "again")


# --- what a stopped process left ----------------------------------------------------------


def test_a_run_without_a_first_line_is_said_to_have_never_begun(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b"")
    with pytest.raises(BadJournal, match="does not say") as caught:
        read_pins(RunPaths(tmp_path))
    assert "aisci run" in caught.value.todo


def test_files_that_a_killed_process_was_writing_are_removed(tmp_path: Path) -> None:
    kept, gone = tmp_path / "idea" / "notes.txt", tmp_path / "idea" / "blobs" / ".new-abc"
    gone.parent.mkdir(parents=True)
    kept.write_text("kept")
    gone.write_text("half")
    remove_unfinished(tmp_path)
    assert kept.read_text() == "kept"
    assert not gone.exists()


# --- the baseline -------------------------------------------------------------------------


def test_the_baseline_is_held_against_the_untrained_model_and_recorded(tmp_path: Path) -> None:
    go(tmp_path / "run", Author())
    (note,) = [line for line in lines(tmp_path / "run") if line.get("name") == "baseline_compared"]
    (beat,) = note["body"]["inline"]["comparisons"]
    assert (beat["metric"], beat["dataset"]) == ("final_loss_mean", "line")
    assert beat["gain"] > beat["margin"]


def test_a_baseline_that_learned_nothing_is_refused_with_metric_values_and_margin() -> None:
    beat = TrainingComparison(
        dataset="line", metric="loss", trained=4.0, untrained=4.5, gain=0.5, margin=1.0
    )
    require_held((replace(beat, gain=1.0),))
    with pytest.raises(BadTemplate, match="does not beat the untrained") as caught:
        require_held((beat,))
    for part in ("loss on line", "4 trained", "4.5 untrained", "by 0.5", "where 1 is required"):
        assert part in caught.value.why
