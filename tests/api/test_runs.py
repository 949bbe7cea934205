"""The Python API: runs, resumes and replays from a script, with a listener, printing nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from orchestrator import api
from orchestrator.api import RunRequest, replay, resume, run
from orchestrator.api.prepare import prepare
from orchestrator.core.errors import UserError
from orchestrator.record.heard import Heard, RunOpened
from tests.support import run_rig as rig
from tests.support.places import ROOT


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
def test_a_script_does_what_the_command_does_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A run, its resume, which asks nothing more, and its replay."""
    kinds: Counter[str] = Counter()
    opened: list[str] = []

    def listener(event: Heard) -> None:
        kinds[event.kind] += 1
        if isinstance(event, RunOpened):
            opened.append(event.folder)

    request = RunRequest(template=rig.QUICK, scale="smoke", policy=rig.POLICY, results=tmp_path)
    done = run(request, listener)
    assert done.ok
    assert opened == [str(done.folder)]
    assert {"run_started", "idea_started", "asked", "answered", "noted", "sealed"} <= kinds.keys()
    (idea,) = done.ideas
    assert idea.status == "finished"
    assert idea.paper is not None
    assert idea.paper.is_file()

    before = kinds["asked"]
    again = resume(api.ResumeRequest(run=str(done.folder), results=tmp_path), listener)
    assert again.head == done.head
    assert kinds["recalled"]
    assert kinds["asked"] == 2 * before  # the same lines, read once more; nothing new

    assert replay(str(done.folder), tmp_path).different == ()
    assert capfd.readouterr() == ("", "")
    assert ROOT not in done.folder.parents
