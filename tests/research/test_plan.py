"""The plan of a study: recorded before its first run, revised on what comes out, carried out as it says."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.job import Job
from orchestrator.core.model import Ask
from orchestrator.policy.policy import lowered
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.events import Asked, Noted
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.ports import Edges
from orchestrator.research.looking.comparison_tables import compared_cells
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps, Study
from orchestrator.research.stages.plan import critics_share, most_runs, planned_at_most
from orchestrator.research.sweep.wording import replace
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.research.test_changes import Author, Change, same_again
from tests.support import run_rig as rig
from tests.support.places import ROOT

CODE = (ROOT / "tests/data/quick/experiment.py").read_text()
_SEEDS = {"final_loss": [0.1, 0.9, 0.9, 0.9, 0.9], "initial_loss": [4.4, 4.5, 4.6, 4.5, 4.4]}


def fenced(value: Any) -> str:
    return f"```json\n{json.dumps(value)}\n```"


def planned(name: str, base: str = "baseline") -> dict[str, str]:
    return {"name": name, "base": base, "tests": "t", "expects": "e", "refuted_by": "r"}


def edit(old: str, new: str) -> str:
    """An edit that puts ``new`` in place of ``old``, the beginning of a line of the template."""
    of = old.partition(" = ")[0]
    line = next(row for row in CODE.splitlines() if row.startswith(of))
    line = re.sub(r"= \S+ ", f"= {old.rsplit(maxsplit=1)[-1]} ", line)
    return f"RUN: turned\n\n{replace('experiment.py', line, new + line.removeprefix(old))}"


def measuring(blobs: BlobStore) -> Callable[[Job], Ending]:
    """The numbers of the code: those that the file's own constants name."""
    usual = rig.pretend(blobs)

    def ending(job: Job) -> Ending:
        if job.kind == "latex" or job.argv[-1] == "plot.py":
            return usual(job)
        code = blobs.get(job.files.as_dict()["experiment.py"]).decode()
        step = re.search(r"^STEP_SIZE = (\S+)", code, re.MULTILINE)
        assert step
        means: dict[str, float] = {"final_loss_mean": float(step[1]), "initial_loss_mean": 4.5}
        if "EXTRA" in code:
            means["curvature_mean"] = 2 * float(step[1])
        info = {"line": {"means": means, "stderrs": {}, "final_info_dict": _SEEDS}}
        text = json.dumps(info).encode()
        return Ending(files={f"{job.argv[2].partition('=')[2]}/final_info.json": text}, seconds=1.0)

    return ending


def study_of(folder: Path, change: Change) -> tuple[PursuedIdea, dict[str, list[str]]]:
    """A run whose model says what ``change`` says; the prompts by purpose."""
    prompts: dict[str, list[str]] = {}

    def noted(ask: Ask, number: int) -> str | None:
        prompts.setdefault(ask.purpose, []).append("\n".join(one.content for one in ask.messages))
        return change(ask, number)

    author = Author(noted)

    def edges(blobs: BlobStore) -> Edges:
        usual = rig.scripted_edges(author)(blobs)
        return Edges(
            author, usual.editor, ScriptedSandbox(blobs, measuring(blobs)), usual.literature
        )

    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    (outcome,) = research(rig.setup(folder.parent), rig.place(folder, Mode.RECORD), tools)
    same_again(folder, folder.parent / "again")
    return outcome, prompts


def runs_told(prompt: str) -> list[dict[str, Any]]:
    """The rows of runs in a request to revise a plan."""
    return [json.loads(row) for row in re.findall(r"(?ms)^```json run\n(.*?)\n```$", prompt)]


def journal_of(folder: Path, study: Study) -> Journal:
    paths = RunPaths(folder)
    at = paths.idea(study.idea)
    return Journal(at.journal, BlobStore(at.blobs, BlobStore(paths.blobs)), Mode.REPLAY)


def test_the_plan_is_in_the_record_before_the_first_container(tmp_path: Path) -> None:
    outcome, prompts = study_of(tmp_path / "run", lambda _ask, _number: None)
    events = journal_of(tmp_path / "run", outcome.study).events
    plan = next(e.n for e in events if isinstance(e, Noted) and e.name == "plan")
    job = next(e.n for e in events if isinstance(e, Asked) and e.port in {"sandbox", "editor"})
    assert plan < job
    (asked,) = prompts["ideas.propose"]
    assert "STEP_SIZE = 0.1" in asked, "ideas are proposed on the code"
    assert data_blocks(asked)["baseline"]["run"]["datasets"]["line"]["final_loss_mean"] == [
        0.1,
        None,
    ]


def test_a_run_starts_from_the_run_that_its_plan_names(tmp_path: Path) -> None:
    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "plan.make":
            return fenced({"runs": [planned("a"), planned("b"), planned("c", base="a")]})
        if ask.purpose == "experiment.edit":
            return edit(
                *[
                    ("STEP_SIZE = 0.1 ", "STEP_SIZE = 0.2 "),
                    ("STEP_SIZE = 0.1 ", "STEP_SIZE = 0.3 "),
                    ("STEP_SIZE = 0.2 ", "STEP_SIZE = 0.4 "),
                ][number - 1]
            )
        return None

    outcome, prompts = study_of(tmp_path / "run", change)
    runs = outcome.study.runs
    assert [(run.name, run.base) for run in runs] == [("baseline", 0), ("a", 0), ("b", 0), ("c", 1)]
    differences = data_blocks(prompts["experiment.edit"][1])["differences"]
    assert "+STEP_SIZE = 0.2  # of gradient descent" in differences["a"]
    rows = [*compared_cells(data_blocks(prompts["plan.revise"][2])["comparisons"])]
    assert {(row.run, row.against) for row in rows} >= {("c", "a"), ("c", "baseline")}


def test_metrics_that_a_plan_adds_are_measured_at_the_unchanged_settings_first(
    tmp_path: Path,
) -> None:
    metric = {
        "name": "curvature",
        "unit": "bends per step",
        "direction": "lower",
        "description": "d",
        "headline": True,
    }

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "plan.make":
            plan = {"runs": [planned("a")], "metrics": [metric], "decides": ["curvature"]}
            return fenced(plan)
        if ask.purpose == "instruments.edit":
            wrong = edit("STEP_SIZE = 0.1 ", "EXTRA = 1\nSTEP_SIZE = 0.7 ")
            return wrong if number == 1 else edit("POINTS = 40", "EXTRA = 1\nPOINTS = 40")
        if ask.purpose == "experiment.edit":
            return edit("STEP_SIZE = 0.1 ", "STEP_SIZE = 0.2 ")
        return None

    outcome, prompts = study_of(tmp_path / "run", change)
    study = outcome.study
    assert "the settings changed" in prompts["instruments.edit"][1]
    assert study.headline[0] == "curvature_mean"
    known = {number: one.datasets["line"].means for number, one in study.results}
    assert (known[0]["curvature_mean"], known[1]["curvature_mean"]) == (0.2, 0.4)
    rows = [*compared_cells(data_blocks(prompts["plan.revise"][0])["comparisons"])]
    assert [row.difference for row in rows if row.metric == "curvature_mean"] == [0.2]
    page = (RunPaths(tmp_path / "run").idea(study.idea).folder / "report.html").read_text()
    assert "curvature_mean<small>↓ lower is better; in bends per step" in page


def test_a_reviser_may_look_into_files_twice_before_it_answers(tmp_path: Path) -> None:
    places = [
        {"run": "a", "file": "run_1/final_info.json", "at": "line.final_info_dict.final_loss"},
        {"run": "a", "file": "secret.json"},
        {"run": "no such run", "file": "final_info.json"},
    ]

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "plan.make":
            return fenced({"runs": [planned("a")]})
        if ask.purpose == "experiment.edit":
            return edit("STEP_SIZE = 0.1 ", "STEP_SIZE = 0.2 ")
        if ask.purpose == "plan.revise":
            asks = {} if number > 9 else {"look": places}
            return fenced({"finding": "unclear", "why": f"w{number}", "runs": [], **asks})
        return None

    outcome, prompts = study_of(tmp_path / "run", change)
    assert len(prompts["plan.revise"]) == 3
    again = prompts["plan.revise"][1]
    assert '```json\n{"look":[{"run":"a"' in again, "an answer is repeated in its fence"
    values, missing, unknown = data_blocks(again)["looked"]
    assert values["values"] == _SEEDS["final_loss"]
    assert "left no file of that name: ['final_info.json']" in missing["trouble"]
    assert "no run has that name: ['baseline', 'a']" in unknown["trouble"]
    assert outcome.study.outcomes[0].why.startswith("w")


def test_a_run_that_repeats_another_does_not_count(tmp_path: Path) -> None:
    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "experiment.edit":
            replies = [
                edit("POINTS = 40 ", "POINTS = 40  # still "),
                edit("POINTS = 40 ", "POINTS = 41 "),
                edit("STEP_SIZE = 0.1 ", "STEP_SIZE = 0.2 "),
            ]
            return replies[number - 1] if number <= len(replies) else None
        return None

    outcome, prompts = study_of(tmp_path / "run", change)
    second, third = prompts["experiment.edit"][1:3]
    assert "comments and layout alone" in data_blocks(second)["feedback"]["trouble"]
    assert "every number is the same as in the run 'baseline'" in third
    assert outcome.study.runs[1].attempts == 3


def test_whoever_revises_a_plan_sees_the_values_per_seed_and_what_is_odd_in_them(
    tmp_path: Path,
) -> None:
    _, prompts = study_of(tmp_path / "run", lambda _ask, _number: None)
    first = runs_told(prompts["plan.revise"][0])[0]
    assert first["memory_mib"] is None, "nothing measured it"
    assert first["values_per_seed"]["line"]["final_loss"] == _SEEDS["final_loss"]
    assert any("4 of 5 values are 0.9, the largest" in said for said in first["noticed"])


def test_a_revision_repeats_what_the_one_before_it_said_of_all_runs(tmp_path: Path) -> None:
    """So that a vendor's cache serves it: only a run's finding is added to its row."""

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "plan.make":
            return fenced({"runs": [planned("a"), planned("b"), planned("c")]})
        if ask.purpose == "experiment.edit":
            said = edit("STEP_SIZE = 0.1 ", f"STEP_SIZE = 0.{number + 1} ")
            return said.replace("RUN: turned", "") if number == 1 else said
        if ask.purpose == "plan.revise":
            return fenced({"finding": "unclear", "why": f"found by {number}", "runs": None})
        return None

    _, prompts = study_of(tmp_path / "run", change)
    first, second, third = prompts["plan.revise"]
    for before, after in ((first, second), (second, third)):
        told = before[: before.index("\n}\n```\n\nThe last of these runs")]
        assert after.startswith(told)
        assert after[len(told) :].startswith(',\n "finding": "unclear"')
    rows = runs_told(third)
    assert [row["name"] for row in rows] == ["baseline", "a", "b", "c"]
    assert [row.get("finding") for row in rows] == [None, "unclear", "unclear", None]
    assert [row.get("description") for row in rows[1:]] == [None, "turned", "turned"]
    assert [row["tests"] for row in rows[1:]] == ["t"] * 3, "what is not told of a run, its plan is"
    assert "+STEP_SIZE = 0.3" in rows[2]["changed"]
    assert "output_tail" in data_blocks(third)["last_run"]


def test_critic_author_and_first_reader_begin_with_the_same_message(tmp_path: Path) -> None:
    _, prompts = study_of(tmp_path / "run", lambda _ask, _number: None)
    begins = {
        prompts[one][0].partition("\nThe study is about to be written up")[0]
        for one in ("critique",)
    }
    (begin,) = begins
    assert {"idea", "results", "comparisons", "figures", "differences"} <= set(data_blocks(begin))
    for purpose in ("writeup.setup", "writeup.conclusion", "doubt.read"):
        assert prompts[purpose][0].startswith(begin)
    asked = data_blocks(prompts["critique"][0].removeprefix(begin))
    assert set(asked) == {"limits", "noticed", "asked_before"}
    assert "output_tail" in asked["noticed"][-1]
    assert any(
        "4 of 5 values are 0.9, the largest" in said for said in asked["noticed"][0]["noticed"]
    )


def test_a_critic_may_ask_for_a_run_and_the_figures_are_drawn_again(tmp_path: Path) -> None:
    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "critique" and number == 1:
            return fenced({"questions": ["Is it chance?"], "runs": [planned("STEP_SIZE = 0.9")]})
        return None

    outcome, prompts = study_of(tmp_path / "run", change)
    assert outcome.status == "finished"
    assert outcome.study.runs[-1].name == "STEP_SIZE = 0.9"
    assert len(prompts["plots.edit"]) == 2
    journal = journal_of(tmp_path / "run", outcome.study)
    first, second = (
        journal.blobs.get(step.edit_request.files.as_dict()["plot.py"]).decode()
        for step in steps(journal)
        if step.port == "editor" and step.edit_request.purpose == "plots.edit"
    )
    assert "STEP_SIZE" not in first
    assert "STEP_SIZE" in second, "the figures are drawn on with the author's own plot.py"
    page = next((tmp_path / "run").glob("sweep_*/report.html")).read_text()
    assert "Is it chance?" in page
    assert "STEP_SIZE = 0.9" in page


def test_a_revision_compares_with_the_runs_that_its_plan_names_and_decides_with_all(
    tmp_path: Path,
) -> None:
    third = planned("c") | {"refuted_by": "it is no better than a"}

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "plan.make":
            return fenced(
                {"runs": [planned("a"), planned("b"), third], "decides": ["final_loss_mean"]}
            )
        if ask.purpose == "experiment.edit":
            return edit("STEP_SIZE = 0.1 ", f"EXTRA = 1\nSTEP_SIZE = 0.{number + 1} ")
        return None

    _, prompts = study_of(tmp_path / "run", change)
    rows = [*compared_cells(data_blocks(prompts["plan.revise"][2])["comparisons"])]
    metrics = {name: {row.metric for row in rows if row.against == name} for name in "ab"}
    assert metrics == {"a": {"final_loss_mean", "curvature_mean"}, "b": {"final_loss_mean"}}
    notes = next((tmp_path / "run").glob("sweep_*/notes.txt")).read_text()
    assert "line: final_loss_mean +0.1" in notes
    assert "against baseline" in notes
    assert "Expected: e" in notes


def test_a_given_up_run_is_a_fact_and_the_study_goes_on(tmp_path: Path) -> None:
    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "experiment.edit" and number <= 4:
            return edit(f"POINTS = 4{number - 1} ", f"POINTS = 4{number} ")
        return None

    outcome, prompts = study_of(tmp_path / "run", change)
    study = outcome.study
    assert [run.number for run in study.runs] == [0, 2]
    assert [gone.number for gone in study.given_up] == [1]
    facts = data_blocks(prompts["writeup.setup"][0])["plan"]
    assert [row["given_up"] for row in facts if "given_up" in row] == [study.given_up[0].why]


def test_a_revision_without_runs_keeps_the_plan(tmp_path: Path) -> None:
    def change(ask: Ask, _number: int) -> str | None:
        if ask.purpose == "plan.revise":
            return fenced({"finding": "unclear", "why": "it says little", "runs": None})
        return None

    outcome, _ = study_of(tmp_path / "run", change)
    assert [run.name for run in outcome.study.runs[1:]] == ["STEP_SIZE = 0.01", "STEP_SIZE = 0.5"]
    assert [one.finding for one in outcome.study.outcomes] == ["unclear", "unclear"]


@pytest.mark.parametrize(
    ("minutes", "plan", "critic", "all_of_them"),
    [(60, 10, 12, 14), (8, 5, 5, 5), (9, 4, 6, 6), (12, 6, 6, 8)],
)
def test_a_plan_leaves_runs_to_a_critic_and_to_an_improvement(
    tmp_path: Path, minutes: int, plan: int, critic: int, all_of_them: int
) -> None:
    """A baseline of a minute: a run may take one and a half."""
    spec = rig.setup(tmp_path)
    policy = lowered(spec.policy, {"idea.wall": f"{minutes}m"})
    (outcome,) = rig.run_scripted(tmp_path / "run", Author(), Mode.RECORD)
    run = dataclasses.replace(outcome.study.runs[0], seconds=60.0)
    study = dataclasses.replace(outcome.study, policy=policy, runs=(run,))
    assert planned_at_most(policy, 60.0) == plan
    assert critics_share(study) == critic
    assert most_runs(study) == all_of_them
