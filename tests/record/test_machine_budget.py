"""The administrator's budget of an account: over all its runs, in a month, by every process."""

from __future__ import annotations

import getpass
import grp
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api import runs
from orchestrator.api.month_use import budget_checks, month_uses
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BadFile, BudgetSpent, SandboxFailed
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job, JobResult
from orchestrator.core.model import Usage
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy
from orchestrator.record.account_ledger import AccountLedger, AccountUse
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.machine_budget import MachineBudget
from orchestrator.record.machine_limits import AccountLimits, limits_here
from orchestrator.record.month import MonthBudget, MonthLimits
from orchestrator.record.spending import BothBudgets, MeteredSandbox, account_spending
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.record.test_month import ASK, Priced, ports
from tests.support import run_rig as rig
from tests.support.budget_rig import budget_here, budgets_at, kept_ledger
from tests.support.places import ROOT

ME = getpass.getuser()
MINE = grp.getgrgid(os.getgid()).gr_name


def paid(usd: float) -> Usage:
    return Usage(1, 1, usd)


# --- what holds an account ------------------------------------------------------------------


def test_without_the_file_nothing_is_limited() -> None:
    assert limits_here() is None
    assert MachineBudget.of_account() is None
    assert account_spending() is None


@pytest.mark.parametrize(
    ("text", "usd", "hours"),
    [
        ("everybody: {usd: 100, gpu_hours: 40}\n", 100, 40),
        (f"everybody: {{usd: 100}}\ngroups: {{{MINE}: {{usd: 20}}}}\n", 20, None),
        (f"everybody: {{usd: 10}}\nusers: {{{ME}: {{usd: 50, gpu_hours: 5}}}}\n", 10, 5),
        (f"groups: {{{MINE}: {{gpu_hours: 0}}}}\nusers: {{nobody: {{usd: 0}}}}\n", None, 0),
    ],
)
def test_of_all_that_applies_the_smallest_counts(
    text: str,
    usd: float | None,
    hours: float | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budgets_at(tmp_path, monkeypatch, text)
    here = limits_here()
    assert here is not None
    assert here.limits == AccountLimits(usd=usd, gpu_hours=hours)


def test_a_line_about_others_holds_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, "users: {nobody: {usd: 0}}\n")
    assert limits_here() is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("groups: {no-such-group: {usd: 1}}\n", "no group"),
        ("users: {no-such-user: {usd: 1}}\n", "no user"),
        ("everybody: {usd: -1}\n", "everybody.usd"),
        ("everybody: {eur: 1}\n", "eur"),
        ("everybody: {usd: .nan}\n", "usd"),
        ("ledger: spent\n", "ledger"),
        ("[]\n", "mapping"),
    ],
)
def test_a_file_with_a_fault_is_an_error_and_no_limit_that_is_left_out(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, text)
    with pytest.raises(BadFile) as caught:
        MachineBudget.of_account()
    assert says in str(caught.value) + caught.value.where + caught.value.what


def test_a_file_that_others_may_write_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, "everybody: {usd: 1}\n").chmod(0o666)
    with pytest.raises(BadFile, match="cannot be relied on"):
        account_spending()


# --- where it is counted --------------------------------------------------------------------


def test_a_kept_ledger_that_the_account_could_shorten_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, "everybody: {usd: 1}\n")
    ledger = kept_ledger(tmp_path / "spent", grows=False)
    with pytest.raises(BadFile, match="cannot be relied on") as caught, ledger.open():
        pass
    assert "could shorten" in caught.value.why
    assert "chattr +a" in caught.value.todo


def test_a_kept_ledger_is_never_begun_by_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, f"everybody: {{usd: 1}}\nledger: {tmp_path}/spent\n")
    with pytest.raises(BadFile, match="cannot be relied on") as caught:
        budget_here().used()
    assert "folder" in caught.value.why
    (tmp_path / "spent").mkdir(mode=0o755)
    with pytest.raises(BadFile, match="cannot be relied on"):
        budget_here().used()
    assert list((tmp_path / "spent").iterdir()) == []
    (tmp_path / "spent").chmod(0o777)
    with pytest.raises(BadFile) as caught:
        budget_here().used()
    assert "others may write" in caught.value.why


def test_a_link_in_place_of_the_ledger_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, "everybody: {usd: 1}\n")
    ledger = kept_ledger(tmp_path / "spent")
    (tmp_path / "mine.jsonl").touch()
    ledger.path.unlink()
    ledger.path.symlink_to(tmp_path / "mine.jsonl")
    with pytest.raises(BadFile, match="cannot be relied on"), ledger.open():
        pass


@pytest.mark.program
def test_the_kernels_own_mark_is_what_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, f"everybody: {{usd: 5}}\nledger: {tmp_path}/spent\n")
    path = kept_ledger(tmp_path / "spent").path
    if subprocess.run(["chattr", "+a", str(path)], capture_output=True, check=False).returncode:
        pytest.skip("this file system, or account, sets no append-only mark")
    try:
        budget_here().book(paid(2.0))
        assert budget_here().used().usd == 2.0
        with pytest.raises(PermissionError):
            path.write_text("")
        with pytest.raises(PermissionError):
            path.unlink()
    finally:
        subprocess.run(["chattr", "-a", str(path)], check=True)
    with pytest.raises(BadFile, match="cannot be relied on"):
        budget_here().used()


@pytest.mark.parametrize(
    "line",
    [
        b"x\n",
        b"{}\n",
        b'{"call": "a", "month": "2026-11", "usd": -5, "gpu": 0}\n',
        b'{"call": "a", "month": "2026-11", "usd": NaN, "gpu": 0}\n',
        b'{"call": "a", "month": "2026-11", "usd": 0, "gpu": 1e999}\n',
        b'{"call": "a", "month": "2026-11", "usd": 1, "gpu"',
        b'{"call": "' + b"a" * 500 + b'", "month": "2026-11", "usd": 1, "gpu": 0}\n',
    ],
)
def test_a_line_that_aisci_does_not_write_stops(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "machine.jsonl"
    path.write_bytes(line)
    with (
        pytest.raises(BadFile, match="cannot be relied on") as caught,
        AccountLedger(path, kept=False).open(),
    ):
        pass
    assert caught.value.where == str(path)


# --- dollars --------------------------------------------------------------------------------


def budget(ledger: AccountLedger, **limits: float) -> MachineBudget:
    return MachineBudget(AccountLimits(**limits), Path("/etc/aisci/budgets.yaml"), ledger)


@pytest.fixture
def ledger(tmp_path: Path) -> AccountLedger:
    return AccountLedger(tmp_path / "machine.jsonl", kept=False, month=lambda: "2026-11")


def again(ledger: AccountLedger) -> AccountLedger:
    """The same file, as another process has it."""
    return AccountLedger(ledger.path, kept=False, month=ledger.month)


def test_calls_of_all_runs_count_and_one_that_could_pass_the_limit_is_not_made(
    ledger: AccountLedger, tmp_path: Path
) -> None:
    models = [Priced() for _ in range(3)]
    made = [
        ports(tmp_path / f"run_{n}", model, JournalBudget(), budget(again(ledger), usd=1.3))
        for n, model in enumerate(models)
    ]
    for run in made[:2]:
        run.complete(ASK)
    with pytest.raises(BudgetSpent, match=r"1\.5 of 1\.3 US dollars") as caught:
        made[2].complete(ASK)
    assert "budgets.yaml: usd of this account" in caught.value.where
    assert models[2].asked == []
    assert budget(again(ledger), usd=1.3).used() == AccountUse(usd=0.5)
    raised = budget(again(ledger), usd=2.0)
    replace(made[2], edges=replace(made[2].edges, month=raised)).complete(ASK)
    assert raised.used().usd == 0.75, "the same call is made when the administrator allows more"


def test_a_call_without_an_end_stays_counted_at_its_most(ledger: AccountLedger) -> None:
    budget(ledger, usd=1.5).book(paid(1.0))
    with pytest.raises(BudgetSpent):
        budget(again(ledger), usd=1.5).book(paid(1.0))


def test_another_month_begins_at_zero_and_keeps_what_is_settled_later_out(
    ledger: AccountLedger,
) -> None:
    old = budget(ledger, usd=1.0).book(paid(1.0))
    ledger.month = lambda: "2026-12"
    new = budget(ledger, usd=1.0)
    new.book(paid(1.0))
    old.settle(paid(0.5))
    assert new.used().usd == 1.0


@pytest.mark.program
def test_processes_that_book_at_once_never_pass_the_limit(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from orchestrator.core.errors import BudgetSpent\n"
        "from orchestrator.core.model import Usage\n"
        "from orchestrator.record.account_ledger import AccountLedger\n"
        "from orchestrator.record.machine_budget import MachineBudget\n"
        "from orchestrator.record.machine_limits import AccountLimits\n"
        "ledger = AccountLedger(Path(sys.argv[1]), kept=False)\n"
        "budget = MachineBudget(AccountLimits(usd=30.5), Path('x'), ledger)\n"
        "try:\n"
        "    while True:\n"
        "        budget.book(Usage(1, 1, 1.0))\n"
        "except BudgetSpent:\n"
        "    pass\n"
    )
    path = tmp_path / "machine.jsonl"
    many = [subprocess.Popen([sys.executable, "-c", code, path], cwd=ROOT) for _ in range(4)]
    assert [one.wait(60) for one in many] == [0] * 4
    assert budget(AccountLedger(path, kept=False), usd=1).used().usd == 30.0


def test_where_one_of_two_budgets_refuses_the_other_counts_nothing(
    ledger: AccountLedger, tmp_path: Path
) -> None:
    machine, own = budget(ledger, usd=10.0), MonthBudget(MonthLimits(usd=0.5), tmp_path / "own")
    with pytest.raises(BudgetSpent, match=r"month\.usd"):
        BothBudgets((machine, own)).book(paid(1.0))
    assert (machine.used().usd, own.spent().usd) == (0.0, 0)
    booked = BothBudgets((machine, own)).book(paid(0.4))
    booked.settle(paid(0.25))
    assert (machine.used().usd, own.spent().usd) == (0.25, 0.25)


# --- GPUs -----------------------------------------------------------------------------------


def job(gpus: int, wall: float = 100.0) -> Job:
    limits = load_policy("default", shipped_root() / "policies").limits("experiment")
    limits = replace(limits, gpus=gpus, wall=wall)
    return Job(scope="s", kind="experiment", argv=("x",), files=Tree(), limits=limits, harvest=())


def metered(ledger: AccountLedger, folder: Path, hours: float, seconds: float) -> MeteredSandbox:
    inner = ScriptedSandbox(BlobStore(folder), lambda _: Ending(seconds=seconds))
    return MeteredSandbox(inner, budget(ledger, gpu_hours=hours))


def test_a_job_counts_its_gpus_times_its_time(ledger: AccountLedger, tmp_path: Path) -> None:
    sandbox = metered(ledger, tmp_path, hours=1.0, seconds=30.0)
    assert sandbox.run(job(2)).ok
    assert sandbox.run(job(0)).ok
    assert budget(again(ledger)).used() == AccountUse(gpu=60.0)


def test_a_job_ends_with_what_is_left_and_the_next_one_does_not_begin(
    ledger: AccountLedger, tmp_path: Path
) -> None:
    hours = 50 / 3600
    with pytest.raises(BudgetSpent, match="gpu_hours of this account") as caught:
        metered(ledger, tmp_path, hours, seconds=30.0).run(job(2))
    assert "the next month" in caught.value.todo
    budget(ledger, gpu_hours=hours).lend(50.0)
    with pytest.raises(BudgetSpent, match="used or lent"):
        metered(again(ledger), tmp_path, hours, seconds=1.0).run(job(1))
    assert metered(again(ledger), tmp_path, 1.0, seconds=1.0).run(job(1)).ok, "under a larger one"


def test_jobs_at_once_never_take_the_same_rest(ledger: AccountLedger) -> None:
    most = budget(ledger, gpu_hours=1.0)
    first, second = most.lend(3000.0), budget(again(ledger), gpu_hours=1.0).lend(3000.0)
    assert (first.gpu, second.gpu) == (3000.0, 600.0)
    first.settle_use(AccountUse(gpu=10.0))
    assert most.lend(1e9).gpu == 3600 - 610


def test_a_job_that_failed_counts_the_time_that_it_may_have_held_the_gpus(
    ledger: AccountLedger,
) -> None:
    class Fails:
        def run(self, _job: Job, within: Deadline) -> JobResult:
            assert within.left <= 100
            raise SandboxFailed("broken")

    with pytest.raises(SandboxFailed):
        MeteredSandbox(Fails(), budget(ledger, gpu_hours=1.0)).run(job(1), FOREVER)
    assert 0 < budget(again(ledger)).used().gpu < 10


# --- seen and held where people are ---------------------------------------------------------


def test_a_run_does_not_start_when_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before an engine is asked, or a folder is made."""
    budgets_at(tmp_path, monkeypatch, "everybody: {usd: 1}\n")
    budget_here().book(paid(1.0))
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    def reached() -> Any:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(runs, "connect", reached)
    with pytest.raises(BudgetSpent, match="1 of 1 US dollars are used"):
        runs.run(rig.wanted(tmp_path / "results", model="openai/gpt-4o"))
    assert not (tmp_path / "results").exists() or not any((tmp_path / "results").iterdir())
    with pytest.raises(AssertionError, match="the engine was asked"):
        runs.run(rig.wanted(tmp_path / "results"))  # it asks no model that costs


def test_doctor_and_du_tell_use_and_limit_and_whether_the_account_can_reset_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets_at(tmp_path, monkeypatch, "everybody: {usd: 8, gpu_hours: 2}\n")
    budget_here().book(paid(2.5))
    budget_here().lend(2 * 3600)
    dollars, hours = month_uses()
    assert (dollars.text, hours.text) == ("2.5 of 8 US dollars", "2 of 2 GPU hours")
    first, second = budget_checks()
    assert (first.state, second.state) == ("note", "warn")
    assert "which this account can remove" in first.found
    budgets_at(tmp_path, monkeypatch, "everybody: {usd: x}\n")
    (broken,) = budget_checks()
    assert broken.state == "fail"
