"""Whole runs at the end of their GPU time: of the policy's limit, and of the machine's for the account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.errors import BudgetSpent
from orchestrator.policy.policy import Policy
from orchestrator.record.account_ledger import AccountLedger
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.record.machine_budget import MachineBudget
from orchestrator.record.machine_limits import AccountLimits
from orchestrator.record.ports import Edges
from orchestrator.record.spending import MeteredSandbox
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from orchestrator.research.sweep import SweepModel
from tests.support import field_rig
from tests.support import run_rig as rig


@pytest.fixture
def on_a_gpu() -> Policy:
    policy = field_rig.changed(field_rig.base(), "experiment.gpus.count", 1)
    return field_rig.changed(policy, "idea.gpu_time", "1h")


def test_a_run_ends_with_the_gpu_time_of_its_policy(on_a_gpu: Policy, tmp_path: Path) -> None:
    assert field_rig.researched(on_a_gpu, tmp_path / "before") == "finished"
    less = field_rig.changed(on_a_gpu, "run.gpu_time", "0.0001s")
    assert "run.gpu_time" in field_rig.researched(less, tmp_path / "after")
    enough = field_rig.changed(on_a_gpu, "run.gpu_time", "1h")
    assert field_rig.researched(enough, tmp_path / "enough") == "finished"


def metered(ledger: Path, hours: float) -> Callable[[BlobStore], Edges]:
    scripted = rig.scripted_edges(SweepModel())

    def edges(blobs: BlobStore) -> Edges:
        made = scripted(blobs)
        limits = AccountLimits(gpu_hours=hours)
        budget = MachineBudget(limits, Path("budgets.yaml"), AccountLedger(ledger, kept=False))
        return replace(made, sandbox=MeteredSandbox(made.sandbox, budget))

    return edges


def test_a_run_stops_at_the_accounts_gpu_hours_and_goes_on_when_more_are_allowed(
    on_a_gpu: Policy, tmp_path: Path
) -> None:
    spec = replace(rig.setup(tmp_path), policy=on_a_gpu)
    ledger = tmp_path / "machine.jsonl"

    def pursued(mode: Mode, hours: float) -> PursuedIdea:
        tools = RunDeps(
            edges=metered(ledger, hours), exporter=FileExporter(), listener=lambda _: None
        )
        (outcome,) = research(spec, rig.place(tmp_path / "run", mode), tools)
        return outcome

    stopped = pursued(Mode.RECORD, 1.5 / 3600)  # the baseline takes a second
    assert stopped.failure is not None
    assert not stopped.settled
    assert stopped.failure.error == BudgetSpent.__name__
    assert "gpu_hours of this account" in stopped.failure.what + stopped.failure.where
    done = pursued(Mode.RESUME, 1.0)
    assert (done.status, done.failure) == ("finished", None)
