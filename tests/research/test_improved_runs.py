"""Ideas from proposal to improved papers, through litellm and a model's server, on scripted containers.

``tests/api/test_runs.py`` has the same on real ones; ``test_kill.py`` kills it there.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.api.prepare import prepare
from orchestrator.models.litellm import open_model
from orchestrator.record.journal import Mode
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.run_spec import PursuedIdea
from tests.research.test_changes import same_again
from tests.research.test_fault_campaign import Crash, crash_at, recorded
from tests.research.test_kill import journals, products
from tests.support import improved_rig
from tests.support import run_rig as rig
from tests.support.improved_rig import MODEL, REVIEWING, served
from tests.support.sample import some

IDEAS = 3
STOPS = 3  # of a run; the campaign stops it at every line
KEY = "sk-test-0123456789abcdef"


def played(
    folder: Path, server: ModelServer, ideas: int = 1, crash: int = 0
) -> tuple[PursuedIdea, ...]:
    """The run in ``folder``, begun or resumed, on scripted containers; the model is asked through litellm."""
    with server.running(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_BASE", server.url)
        patch.setenv("OPENAI_API_KEY", KEY)
        spec = prepare(improved_rig.request(folder.parent, ideas, open_ended=False)).setup
        model = open_model(MODEL, environ=os.environ, prices=dict(spec.prices))
        mode = Mode.RESUME if (folder / "journal.jsonl").exists() else Mode.RECORD
        return rig.run_scripted(folder, model, mode, crash_at(crash), spec)


def test_three_ideas_go_from_proposal_to_improved_papers(tmp_path: Path) -> None:
    server = served(IDEAS)
    outcomes = played(tmp_path / "run", server, IDEAS)
    assert [(one.status, one.failure) for one in outcomes] == [("finished", None)] * IDEAS
    asked = Counter(one["purpose"] for one in server.requests())
    assert asked["ideas.propose"] == IDEAS
    assert asked["writeup.improve"] == IDEAS * REVIEWING.improve
    assert asked["review.form"] == asked["review.reflect"] == IDEAS * 2 * REVIEWING.reviews
    assert asked["review.meta"] == IDEAS * 2
    for one in outcomes:
        (improvement,) = one.study.improvements
        assert improvement.kept == "improved"
        assert {answer.kind for answer in improvement.answers} == {"limit"}
        assert [name for name, *_ in improvement.changes] == ["conclusion"]
    assert recorded(tmp_path / "run").requests == len(server.requests())
    same_again(tmp_path / "run", tmp_path / "again", MODEL)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counter[str]]:
    """A run of one idea that nothing stopped, and the requests that its server got."""
    server, folder = served(1), tmp_path_factory.mktemp("unbroken") / "run"
    played(folder, server)
    return folder, Counter(one["key"] for one in server.requests())


# litellm keeps a client for each server, and closes none of those that its cache drops.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.sampled
def test_stopped_at_any_journal_line_a_run_asks_each_request_once_and_ends_in_the_same_files(
    tmp_path: Path, unbroken: tuple[Path, Counter[str]]
) -> None:
    """Counted at the server. In ``test_kill.py`` the process is killed, with real containers."""
    folder, asked = unbroken
    for at in some(range(2, len(journals(folder))), STOPS, "improved"):
        server, stopped = served(1), tmp_path / str(at) / "run"
        with pytest.raises(Crash):
            played(stopped, server, crash=at)
        (outcome,) = played(stopped, server)
        assert (outcome.status, outcome.failure) == ("finished", None), at
        assert Counter(one["key"] for one in server.requests()) == asked, at
        assert products(stopped) == products(folder), at
