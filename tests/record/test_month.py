"""The budget of a month, over all runs: booked before a call, settled after it, by every process."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BadFile, BudgetSpent, ModelBusy
from orchestrator.core.model import Ask, Message, Reply, Usage
from orchestrator.literature.sources import Sources
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.month import MonthBudget, MonthLimits, month_limits
from orchestrator.record.ports import Edges, Ports
from orchestrator.record.spending import SpendingBudget
from orchestrator.record.used import Used
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.support import run_rig as rig
from tests.support.journal_rig import run_started
from tests.support.places import ROOT

ASK = Ask(purpose="ideas.propose", messages=(Message("user", "Say hello."),))


@dataclass
class Priced:
    """Each call costs 0.25 US dollars of at most 1, and two requests; a busy one is refused."""

    busy: bool = False
    name: str = "priced"
    asked: list[Deadline] = field(default_factory=list)

    def ceiling(self, ask: Ask) -> Usage:
        return Usage(1000, ask.max_tokens, 1.0, requests=8)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        self.asked.append(within)
        if self.busy:
            error = ModelBusy("no answer", where=ask.purpose, why="503", todo="wait")
            error.asked = 3
            raise error
        return Reply("Hello.", Usage(100, 10, 0.25, requests=2), self.name)


def ports(
    folder: Path, model: Priced, budget: JournalBudget, month: SpendingBudget | None
) -> Ports:
    blobs = BlobStore(folder / "blobs")
    folder.mkdir(exist_ok=True)
    journal = Journal(folder / "journal.jsonl", blobs, Mode.RECORD)
    journal.append(run_started())
    sandbox = ScriptedSandbox(blobs, rig.pretend(blobs))
    edges = Edges(model, rig.asking_editor(blobs), sandbox, Sources(), {}, month)
    return Ports(edges, journal, blobs, budget, "run")


def month(folder: Path, **limits: float) -> MonthBudget:
    return MonthBudget(MonthLimits(**limits), folder / "spent")


def test_a_call_is_counted_at_what_it_cost_and_the_next_one_at_its_most(tmp_path: Path) -> None:
    model, limited = Priced(), month(tmp_path, usd=1.6)
    made = ports(tmp_path, model, JournalBudget(), limited)
    for _ in range(3):
        made.complete(ASK)
    with pytest.raises(BudgetSpent, match=r"1\.75 of 1\.6 US dollars") as caught:
        made.complete(ASK)
    assert "month.usd" in caught.value.where
    assert len(model.asked) == 3
    assert limited.spent() == Usage(330, 0, 0.75, requests=6)


def test_what_another_run_of_the_month_spent_counts(tmp_path: Path) -> None:
    limited, models = month(tmp_path, requests=5), [Priced() for _ in range(4)]
    runs = [
        ports(tmp_path / f"run_{number}", model, JournalBudget(), limited)
        for number, model in enumerate(models)
    ]
    for run in runs[:3]:
        run.complete(ASK)
    with pytest.raises(BudgetSpent, match="7 of 5 requests"):
        runs[3].complete(ASK)
    assert [one.asked[0].requests for one in models[:3]] == [5, 3, 1]


def test_a_call_without_an_end_stays_counted_at_its_most(tmp_path: Path) -> None:
    limited = month(tmp_path, usd=1.5)
    limited.book(Usage(1000, 100, 1.0, requests=8))
    with pytest.raises(BudgetSpent):
        limited.book(Usage(1000, 100, 1.0))


def test_a_failed_call_costs_its_requests_alone(tmp_path: Path) -> None:
    limited = month(tmp_path, usd=1.5)
    made = ports(tmp_path, Priced(busy=True), JournalBudget(), limited)
    with pytest.raises(ModelBusy):
        made.complete(ASK)
    assert limited.spent() == Usage(0, 0, 0.0, requests=3)


def test_another_month_begins_at_zero_and_a_call_is_settled_in_the_month_of_its_booking(
    tmp_path: Path,
) -> None:
    day = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    old = MonthBudget(MonthLimits(usd=1.0), tmp_path, lambda: day)
    new = MonthBudget(MonthLimits(usd=1.0), tmp_path, lambda: day.replace(month=12, day=1))
    booking = old.book(Usage(1, 1, 1.0))
    new.book(Usage(1, 1, 1.0))
    booking.settle(Usage(1, 1, 0.5))
    assert (old.spent().usd, new.spent().usd) == (0.5, 1.0)


@pytest.mark.program
def test_processes_that_book_at_once_never_pass_the_limit(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from orchestrator.core.errors import BudgetSpent\n"
        "from orchestrator.core.model import Usage\n"
        "from orchestrator.record.month import MonthBudget, MonthLimits\n"
        "month = MonthBudget(MonthLimits(usd=30.5), Path(sys.argv[1]))\n"
        "for _ in range(20):\n"
        "    try:\n"
        "        month.book(Usage(1, 1, 1.0))\n"
        "    except BudgetSpent:\n"
        "        break\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    for one in [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]:
        assert one.wait() == 0
    assert MonthBudget(MonthLimits(), tmp_path).spent().usd == 30.0


def test_a_line_that_aisci_does_not_write_is_named(tmp_path: Path) -> None:
    limited = month(tmp_path, usd=5.0)
    path = limited.book(Usage(1, 1, 1.0)).path
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(BadFile) as caught:
        limited.book(Usage(1, 1, 1.0))
    assert caught.value.where == f"{path}:2"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("month: {usd: -1}\n", "budget.yaml:1"),
        ("month:\n  usd: 5\n  euros: 3\n", "budget.yaml:3"),
        ("weeks: {usd: 1}\n", "1:1: unknown key 'weeks'"),
    ],
)
def test_each_error_of_the_file_is_named_with_its_line(
    tmp_path: Path, text: str, line: str
) -> None:
    (tmp_path / "budget.yaml").write_text(text)
    with pytest.raises(BadFile) as caught:
        month_limits(tmp_path / "budget.yaml")
    assert line in str(caught.value)


def test_no_file_is_no_limit_and_a_files_limits_are_its_own(tmp_path: Path) -> None:
    assert month_limits(tmp_path / "budget.yaml") is None
    (tmp_path / "budget.yaml").write_text("month: {usd: 300, requests: 2000}\n")
    assert month_limits(tmp_path / "budget.yaml") == MonthLimits(usd=300, requests=2000)


# --- HTTP requests in a run's own budget --------------------------------------------------


def test_the_requests_of_a_call_count_with_its_repeats_and_bound_the_next_ones(
    tmp_path: Path,
) -> None:
    model = Priced()
    made = ports(tmp_path, model, JournalBudget(requests=5), None)
    made.complete(ASK)
    made.complete(ASK)
    assert [one.requests for one in model.asked] == [5, 3]
    model.busy = True
    with pytest.raises(ModelBusy):
        made.complete(ASK)
    assert Used.by(made.journal).requests == 7
    with pytest.raises(BudgetSpent, match="8 of 5 requests"):
        made.complete(ASK)


def test_a_call_without_an_end_counts_with_all_requests_that_it_may_have_made(
    tmp_path: Path,
) -> None:
    class Killed(BaseException):
        pass

    def killed(_ask: Ask, _within: Deadline) -> Reply:
        raise Killed

    model = Priced()
    model.complete = killed  # type: ignore[method-assign, assignment]
    made = ports(tmp_path, model, JournalBudget(requests=20), None)
    with pytest.raises(Killed):
        made.complete(ASK)
    assert Used.by(made.journal).requests == 8
