"""Each fault of a model × each stage that asks it, over HTTP, litellm and Aider itself.

While a fault lasts, a study ends in a known way; once the model behaves, resume finishes it, and no
reply that was recorded is asked for twice. Containers are scripted, since no fault is theirs.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.errors import KeyRefused, ModelFailed
from orchestrator.core.files import shipped_root
from orchestrator.editor.aider import ProcessEditor
from orchestrator.literature.sources import Sources
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT, open_model
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.record.ports import Edges
from orchestrator.research.loopback.answers import Fail, Hang, Raw, ServerAnswer, Stop
from orchestrator.research.loopback.author import from_model
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.research.test_changes import same_again
from tests.support import run_rig as rig
from tests.support.sample import some

pytestmark = pytest.mark.program

MODEL = "openai/local"
PATIENCE = 8.0  # seconds that one request may take
WORKER = shipped_root() / "sandbox/editor/worker.py"
HALF = """RUN: half of it

experiment.py
```
<<<<<<< SEARCH
POINTS = 40  # for training, and as many held out
=======
POINTS = 41  # for training, and as many held out
>>>>>>> REPLACE
```

experiment.py
```
<<<<<<< SEARCH
this line is nowhere
=======
nor is this
>>>>>>> REPLACE
```
"""
WRONG_FILE = HALF.replace("experiment.py", "seed_ideas.json")
EMPTY = json.dumps(
    {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
)


@dataclass(frozen=True)
class Fault:
    """``answer`` is given to every request of a stage; ``stops`` says that it ends the whole run."""

    answer: Callable[[], ServerAnswer]
    stops: bool = False


FAULTS = {
    "empty": Fault(lambda: Stop("", "stop")),
    "cut": Fault(lambda: Stop('{"name": "a', "length")),
    "refused format": Fault(lambda: '```json\n{"unknown": 1}\n```'),
    "prose": Fault(lambda: "I would rather talk about it."),
    "reasoning with a draft": Fault(lambda: f"<think>\n{HALF}"),
    "half edit": Fault(lambda: HALF),
    "wrong file": Fault(lambda: WRONG_FILE),
    "no choices": Fault(lambda: Raw(EMPTY)),
    "busy": Fault(lambda: Fail(503)),
    "slow": Fault(lambda: Hang(PATIENCE + 2)),
    "refusing": Fault(lambda: Fail(400, "no")),
    "401": Fault(lambda: Fail(401, "Incorrect API key"), stops=True),
    "402": Fault(lambda: Fail(402, "Payment required"), stops=True),
    "quota": Fault(
        lambda: Fail(429, "You exceeded your current quota", "insufficient_quota"), stops=True
    ),
}
STAGES = (
    "ideas.propose", "novelty.decide", "plan.make", "plan.revise", "experiment.edit", "plots.edit",
    "critique", "notes.edit", "writeup.queries", "writeup.results", "writeup.conclusion", "review.form",
)  # fmt: skip
TABLE = list(itertools.product(FAULTS, STAGES))


def go(folder: Path, server: ModelServer, mode: Mode) -> tuple[PursuedIdea, ...]:
    model = open_model(
        MODEL,
        environ={"OPENAI_API_BASE": server.url},
        prices={PER_PROMPT: 0.0, PER_COMPLETION: 0.0},
        retry=RetryPolicy(tries=2, timeout=PATIENCE),
        timing=RetryTiming(sleep=lambda _: None),
    )

    def edges(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, rig.pretend(blobs))
        return Edges(model, ProcessEditor(blobs, WORKER), sandbox, Sources())

    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    return research(rig.setup(folder.parent, MODEL), rig.place(folder, mode), tools)


@pytest.mark.sampled
@pytest.mark.parametrize(("fault", "stage"), some(TABLE, 4, "faults"))
def test_a_study_survives_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, stage: str
) -> None:
    folder, sweep = tmp_path / "run", from_model(SweepModel())
    kind, bad = FAULTS[fault], True

    def script(body: dict[str, Any]) -> ServerAnswer:
        return kind.answer() if bad and body["purpose"] == stage else sweep(body)

    server = ModelServer(script, tmp_path / "log")
    with server.running():
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        try:
            (outcome,) = go(folder, server, Mode.RECORD)
            assert not kind.stops
            after_paper = stage == "review.form"
            given_up = outcome.status == "finished"
            assert outcome.failure is not None or given_up
            assert outcome.failure is None or outcome.failure.transient
            assert given_up or not after_paper
        except KeyRefused:
            assert kind.stops
            assert Counter(one["purpose"] for one in server.requests())[stage] == 1, "once"
        except ModelFailed:
            assert stage == "ideas.propose", "there is nothing to go on with"
        bad = False
        (outcome,) = go(folder, server, Mode.RESUME)
        assert (outcome.status, outcome.failure) == ("finished", None)
    answered = Counter(one["key"] for one in server.requests() if one["purpose"] != stage)
    assert max(answered.values()) == 1, "a recorded reply was asked for again"
    same_again(folder, tmp_path / "again", MODEL)
