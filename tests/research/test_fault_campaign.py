"""Faults at random through whole runs; what they may spend is counted where it is spent: at the server."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.errors import AisciError
from orchestrator.core.files import shipped_root
from orchestrator.editor.aider import ProcessEditor
from orchestrator.literature.sources import Sources
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT, open_model
from orchestrator.policy.policy import lowered
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import Recalled
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.ports import Edges
from orchestrator.record.used import Used
from orchestrator.research.loopback.answers import (
    Drop,
    Fail,
    Hang,
    Raw,
    ServerAnswer,
    Stop,
    completion,
)
from orchestrator.research.loopback.author import from_model
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps, RunSpec
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.support import bench
from tests.support import run_rig as rig
from tests.support.sample import FULL, some

pytestmark = pytest.mark.program

SCENARIOS = 60
SESSIONS = 4  # of a run while faults last
MODEL = "openai/local"
PATIENCE = 2.0  # seconds that one request may take
WORKER = shipped_root() / "sandbox/editor/worker.py"
PRICES = {PER_PROMPT: 1e-6, PER_COMPLETION: 4e-6}
FAULTS: dict[str, ServerAnswer] = {
    "503": Fail(503),
    "429 with a wait": Fail(429, headers=(("Retry-After", "3"),)),
    "529": Fail(529, "overloaded"),
    "dropped": Drop(),
    "slow": Hang(PATIENCE + 0.5),
    "no JSON": Raw("<html>bad gateway</html>"),
    "empty": Stop("", "stop"),
    "cut": Stop('{"name": "a', "length"),
    "prose": "I would rather talk about it.",
    "temperature refused": Fail(400, "Unsupported parameter: 'temperature' is not supported"),
    "refused": Fail(400, "no"),
}


class Crash(BaseException):
    """Ends a session at a line of a journal, as a kill would."""


@dataclass
class Faults:
    """A script with faults at random, and what its answers cost at :data:`PRICES`."""

    rng: random.Random
    rate: float
    usd: float = 0.0
    given: Counter[str] = field(default_factory=Counter)
    whole: Callable[[dict[str, Any]], ServerAnswer] = field(
        default_factory=lambda: from_model(SweepModel())
    )

    def __call__(self, body: dict[str, Any]) -> ServerAnswer:
        name = self.rng.choice([*FAULTS]) if self.rng.random() < self.rate else ""
        self.given[name or "answered"] += 1
        answer = FAULTS[name] if name else self.whole(body)
        if isinstance(answer, str | Stop):
            usage = completion(body, answer)["usage"]
            self.usd += usage["prompt_tokens"] * PRICES[PER_PROMPT]
            self.usd += usage["completion_tokens"] * PRICES[PER_COMPLETION]
        return answer


def crash_at(line: int) -> Callable[[Heard], None]:
    seen = 0

    def listen(event: Heard) -> None:
        nonlocal seen
        seen += not isinstance(event, Recalled)
        if seen == line:
            raise Crash

    return listen


def go(
    spec: RunSpec,
    folder: Path,
    server: ModelServer,
    *,
    crash: int = 0,
    environ: Mapping[str, str] | None = None,
) -> tuple[PursuedIdea, ...]:
    model = open_model(
        MODEL,
        environ=environ or {"OPENAI_API_BASE": server.url},
        prices=PRICES,
        retry=RetryPolicy(tries=4, timeout=PATIENCE),
        timing=RetryTiming(sleep=lambda _: None, clock=lambda: 0.0),
    )

    def edges(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, rig.pretend(blobs))
        return Edges(model, ProcessEditor(blobs, WORKER), sandbox, Sources())

    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=crash_at(crash))
    mode = Mode.RESUME if (folder / "journal.jsonl").exists() else Mode.RECORD
    return research(spec, rig.place(folder, mode), tools)


def recorded(folder: Path) -> Used:
    """What all journals of a run say was used."""
    run = RunPaths(folder)
    blobs = BlobStore(run.blobs, *(BlobStore(path) for path in folder.glob("*/blobs")))
    paths = (run.journal, *folder.glob("*/journal.jsonl"))
    return sum((Used.by(Journal(path, blobs, Mode.REPLAY)) for path in paths), Used())


def scenario(seed: int, folder: Path, server: ModelServer, whole: RunSpec) -> dict[str, Any]:
    """One run: sessions with faults, crashes and a budget that may be too small; then none of these."""
    rng = random.Random(f"faults {seed}")
    limits = {"requests": rng.randint(4, 60), "usd": round(rng.uniform(0.02, 0.6), 3)}
    script = server.answers = Faults(rng, rng.choice([0.1, 0.3, 0.6]))
    budgets = {
        f"{block}.budget.{key}": most for block in ("run", "idea") for key, most in limits.items()
    }
    small = replace(whole, policy=lowered(whole.policy, budgets))
    crashes, made, ends = 0, 0, Counter[str]()
    for _ in range(SESSIONS):
        try:
            outcomes = go(small, folder, server, crash=rng.choice([0, 0, rng.randint(2, 60)]))
            ends.update(one.status for one in outcomes)
        except Crash:
            crashes += 1
        except AisciError as error:
            ends[type(error).__name__] += 1
        time.sleep(0.05)  # the server's thread counts the end of a request after its last byte
        made, used = len(server.requests()), recorded(folder)
        assert made <= limits["requests"], "a request past the limit"
        assert script.usd <= limits["usd"] + 1e-9, "dollars past the limit"
        assert used.requests >= made
        assert used.usd >= script.usd - 1e-9
        assert crashes or used.requests == made
        assert (server.flying, server.most_flying <= 1) == (0, True)
    script.rate = 0.0
    (outcome,) = go(whole, folder, server)
    assert (outcome.status, outcome.failure) == ("finished", None)
    given = dict(script.given)
    return {
        "limits": limits,
        "requests": made,
        "crashes": crashes,
        "ends": dict(ends),
        "given": given,
    }


@pytest.fixture(scope="module")
def done() -> Iterator[list[dict[str, Any]]]:
    """What each scenario counted; the campaign keeps the sums."""
    scenarios: list[dict[str, Any]] = []
    yield scenarios
    if FULL:
        sums = {
            key: dict(sum((Counter(one[key]) for one in scenarios), Counter[str]()))
            for key in ("ends", "given")
        }
        counts = {key: sum(one[key] for one in scenarios) for key in ("requests", "crashes")}
        past = sum(one["requests"] > one["limits"]["requests"] for one in scenarios)
        bench.record("faults", {"runs": len(scenarios), **counts, "past_a_limit": past, **sums})


@pytest.mark.sampled
@pytest.mark.parametrize("seed", some(range(SCENARIOS), 1, "fault campaign"))
def test_no_fault_lets_a_request_or_a_dollar_past_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: list[dict[str, Any]], seed: int
) -> None:
    """And nothing is out at the end, one request is in flight at most, and a larger budget ends the run."""
    server = ModelServer((), tmp_path / "log")
    with server.running():
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        done.append(scenario(seed, tmp_path / "run", server, rig.setup(tmp_path, MODEL)))
