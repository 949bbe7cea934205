"""The Python API: runs, resumes and replays from a script, with a listener, printing nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from orchestrator import api
from orchestrator.api import ResumeRequest, RunRequest, audit, replay, resume, run
from orchestrator.api.prepare import prepare
from orchestrator.audit.audit import AuditVerdict
from orchestrator.core.errors import UserError
from orchestrator.record.heard import Heard, RunOpened
from orchestrator.research.loopback.author import from_model
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.sweep import SweepModel
from tests.research.test_fault_campaign import recorded
from tests.support import improved_rig
from tests.support import run_rig as rig
from tests.support.places import ROOT
from tests.support.sample import FULL

IDEAS = 3 if FULL else 2


def test_every_public_name_of_the_api_can_be_imported() -> None:
    assert all(callable(getattr(api, name)) for name in api.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = api.nothing


def test_a_wrong_price_is_refused_before_a_model_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a vendor's model imports litellm, which takes seconds."""

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("a model was opened")

    monkeypatch.setattr("orchestrator.api.prepare.open_author", opened)
    request = RunRequest(
        template="seir", scale="smoke", policy="ci-cpu", model="openai/gpt-4o", price="cheap",
        results=tmp_path,
    )  # fmt: skip
    with pytest.raises(UserError, match="not a price") as refused:
        prepare(request)
    assert refused.value.where == "--price cheap"


@pytest.mark.engine
@pytest.mark.sampled
def test_a_script_does_what_the_command_does_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open-ended run with reviews and improvement, its resume, which asks nothing more, and its replay."""
    kinds: Counter[str] = Counter()
    opened: list[str] = []

    def listener(event: Heard) -> None:
        kinds[event.kind] += 1
        if isinstance(event, RunOpened):
            opened.append(event.folder)

    with improved_rig.served(IDEAS).running() as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        done = run(improved_rig.request(tmp_path, IDEAS, open_ended=True), listener)
        requests, before = len(server.requests()), kinds["asked"]
        again = resume(ResumeRequest(run=str(done.folder), results=tmp_path), listener)
    assert [(one.status, one.failure) for one in done.ideas] == [("finished", None)] * IDEAS
    assert opened[0] == str(done.folder)
    assert {"run_started", "idea_started", "asked", "answered", "noted", "sealed"} <= kinds.keys()
    archives = improved_rig.told_scores(server)
    assert archives[:2] == [[], [float(improved_rig.MARKS[-1])]]
    assert [len(one) for one in archives] == [*range(IDEAS)]
    for idea in done.ideas:
        assert idea.paper is not None
        assert idea.paper.read_bytes() != next(idea.folder.glob("*_before_1.pdf")).read_bytes()

    assert again.head == done.head
    assert kinds["recalled"]
    assert kinds["asked"] == 2 * before  # the same lines, read once more; nothing new
    assert len(server.requests()) == recorded(done.folder).requests == requests

    assert replay(str(done.folder), tmp_path).different == ()
    assert audit(str(done.folder), tmp_path).audit.outcome is AuditVerdict.CONSISTENT
    assert capfd.readouterr() == ("", "")
    assert ROOT not in done.folder.parents


@pytest.mark.engine
def test_a_raised_budget_goes_on_where_the_run_stopped_and_the_audit_holds_it(
    tmp_path: Path,
) -> None:
    """The model has a price, so 0.001 US dollars end the idea; nothing recorded is asked again."""
    server = ModelServer(from_model(SweepModel()), tmp_path / "requests.jsonl")
    with server.running(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_BASE", server.url)
        patch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        request = RunRequest(
            template=rig.QUICK, scale="smoke", policy=rig.POLICY, results=tmp_path,
            model="openai/local", price="1,1", max_usd=0.04,
        )  # fmt: skip
        done = run(request)
        assert done.ideas[0].failure is not None
        assert done.ideas[0].failure.error == "BudgetSpent"
        before = len(server.requests())
        with pytest.raises(UserError, match=r"allows .* US dollars a run") as refused:
            resume(ResumeRequest(run=str(done.folder), results=tmp_path, max_usd=10_000))
        assert "--fork --policy" in refused.value.todo
        again = resume(ResumeRequest(run=str(done.folder), results=tmp_path, max_usd=5))
        assert again.ok, again.ideas[0].failure
    texts = [request["body"]["messages"][-1]["content"] for request in server.requests()]
    assert not set(texts[:before]) & set(texts[before:]), "no recorded call is made again"
    assert audit(str(done.folder), tmp_path).audit.outcome is AuditVerdict.CONSISTENT
    assert replay(str(done.folder), tmp_path).different == ()


def test_a_budget_and_a_policy_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a policy has a budget of its own"):
        resume(ResumeRequest(results=tmp_path, fork=True, policy="default", max_usd=1))
