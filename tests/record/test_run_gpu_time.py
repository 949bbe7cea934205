"""GPU time of a whole run: `run.gpu_time` ends jobs of all ideas together, whichever works at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.raised_budget import with_less
from orchestrator.core.errors import BudgetSpent, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job
from orchestrator.core.model import Usage
from orchestrator.core.tree import Tree
from orchestrator.policy.controls.work import WORK
from orchestrator.policy.policy import load_policy, lowered
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.events import Answered, Asked, Body
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.live_use import LiveUse
from orchestrator.research.pins import pins_of, policy_of
from orchestrator.research.preflight import require_time
from orchestrator.research.run_budget import run_budget
from orchestrator.template.template import load_template
from tests.support import run_rig as rig
from tests.support.journal_rig import idea_started

SHIPPED = shipped_root() / "policies"
WALL = 100.0


def journal_of(folder: Path) -> Journal:
    folder.mkdir(parents=True)
    journal = Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"), Mode.RECORD)
    journal.append(idea_started())
    return journal


def asked(journal: Journal, gpus: int) -> Asked:
    """A job on GPUs that is under way."""
    limits = replace(load_policy("default", SHIPPED).limits("experiment"), gpus=gpus, wall=WALL)
    job = Job(
        scope="run_1", kind="experiment", argv=("x",), files=Tree(), limits=limits, harvest=()
    )
    line = Asked(
        port="sandbox",
        scope="run_1",
        ord=0,
        request="0" * 64,
        body=Body.of(job, journal.blobs),
        ceiling=Usage(),
    )
    journal.append(line)
    return line


def ended(journal: Journal, line: Asked, seconds: float) -> None:
    body = Body.of({}, journal.blobs)
    journal.append(Answered.of(line, body=body, seconds=seconds))


def limited(one: Journal, other: Journal, seconds: float) -> JournalBudget:
    live = LiveUse({})
    for journal in (one, other):
        live.follow(journal)
    return JournalBudget(of="run", gpu_time=seconds, live=live)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Journal, Journal]:
    return journal_of(tmp_path / "a"), journal_of(tmp_path / "b")


def test_what_the_jobs_of_all_ideas_used_is_one_sum(two: tuple[Journal, Journal]) -> None:
    one, other = two
    budget = limited(one, other, 100.0)
    ended(one, asked(one, gpus=2), 30.0)
    assert budget.deadline(other, gpus=1).left == pytest.approx(40.0, abs=1)
    ended(other, asked(other, gpus=1), 40.0)
    with pytest.raises(BudgetSpent, match=r"run\.gpu_time"):
        budget.admit(one, Usage(), paid=False, gpus=1)
    budget.admit(one, Usage(), paid=False)  # what needs no GPU goes on


def test_a_job_that_is_out_counts_at_its_most_until_it_ends(two: tuple[Journal, Journal]) -> None:
    """So that two jobs at once never take the same rest of a limit."""
    one, other = two
    budget = limited(one, other, 250.0)
    line = asked(one, gpus=2)
    until = budget.deadline(other, gpus=1)
    assert until.limit == "run.gpu_time"
    assert until.left == pytest.approx(250 - 2 * WALL, abs=1)
    assert budget.deadline(one, gpus=2).left == pytest.approx(125, abs=1), "not against itself"
    ended(one, line, 10.0)
    assert budget.deadline(other, gpus=1).left == pytest.approx(230, abs=1)


def test_a_job_that_a_killed_process_left_without_an_end_holds_nothing(
    two: tuple[Journal, Journal],
) -> None:
    one, other = two
    asked(one, gpus=2)
    assert limited(one, other, 50.0).deadline(other, gpus=1).left == pytest.approx(50, abs=1)


def test_a_policy_without_the_key_limits_nothing_and_has_the_hash_it_had(tmp_path: Path) -> None:
    policy = load_policy("default", SHIPPED)
    assert "gpu_time" not in policy.settings["run"]
    assert run_budget(policy, journal_of(tmp_path / "run"), LiveUse({})).gpu_time is None
    less = lowered(policy, {"run.gpu_time": "18h"})
    assert less.hash != policy.hash
    assert run_budget(less, journal_of(tmp_path / "less"), LiveUse({})).gpu_time == 18 * 3600


def test_a_child_may_set_it_and_not_raise_it_again(tmp_path: Path) -> None:
    head = "version: 1\nname: {}\ndescription: A test.\nextends: {}\n"
    (tmp_path / "one.yaml").write_text(
        head.format("one", "default") + "run: {gpu_time: 20h}\n", "utf-8"
    )
    assert load_policy(str(tmp_path / "one.yaml"), SHIPPED).run.gpu_time == 20 * 3600
    for more in ("21h", "any"):
        (tmp_path / "two.yaml").write_text(
            head.format("two", "./one.yaml") + f"run: {{gpu_time: {more}}}\n", "utf-8"
        )
        with pytest.raises(UserError, match=r"run\.gpu_time allows more"):
            load_policy(str(tmp_path / "two.yaml"), SHIPPED)


def test_a_run_that_needs_more_than_the_limit_is_not_started() -> None:
    policy = lowered(load_policy("default", SHIPPED), {"run.gpu_time": "1m"})
    template = load_template("nanoGPT_lite", shipped_root())
    with pytest.raises(UserError, match="takes about") as caught:
        require_time(template, policy, "full")
    assert "run.gpu_time" in caught.value.where


def test_explain_names_the_limit_where_there_is_one() -> None:
    (control,) = [one for one in WORK if one.id == "run"]
    policy = load_policy("default", SHIPPED)
    assert "of GPUs" not in control.meaning(policy)
    assert "18h of GPUs" in control.meaning(lowered(policy, {"run.gpu_time": "18h"}))


def test_a_limit_is_recorded_and_a_record_without_it_reads_as_unlimited(tmp_path: Path) -> None:
    made = rig.setup(tmp_path)
    for policy, most in ((made.policy, float("inf")), (with_less(made.policy, None, 60.0), 60.0)):
        pins = pins_of(replace(made, policy=policy), Tree())
        assert policy_of(pins).run.gpu_time == most
        assert ("gpu_time" in pins.policy.settings["run"]) is (most == 60.0)
        assert policy_of(pins).hash == pins.policy.hash
