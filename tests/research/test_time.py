"""The time that an idea and a run have holds while a job, an edit or a model call is under way."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import EditRequest
from orchestrator.core.errors import BudgetSpent, Diverged
from orchestrator.core.job import Job, JobResult
from orchestrator.core.model import Ask, Message, Reply, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.tree import Tree
from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.literature.sources import Sources
from orchestrator.policy.policy import lowered
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.live_use import LiveUse
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.gpus.nvml import GpuDevice
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.contracts.sandbox import LIMITS, Scenario, job_of
from tests.support import run_rig as rig
from tests.support.journal_rig import idea_started
from tests.support.sample import some
from tests.support.sandbox_rig import DockerBench, docker_bench

ASK = Ask(purpose="p", messages=(Message("user", "hello"),))
CEILING = Usage(100, 50, 2.0)


class Slow:
    """A model that takes its time, and gives up when that is over."""

    name = "slow"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.given: list[Deadline] = []

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002  # the port's signature
        return CEILING

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        self.given.append(within)
        time.sleep(min(self.seconds, within.left))
        within.check(ask.purpose)
        return Reply("done", Usage(1, 1, 0.5), self.name)


def ports_of(
    bench: DockerBench,
    folder: Path,
    mode: Mode,
    budget: JournalBudget,
    model: LanguageModel | None = None,
) -> Ports:
    journal = Journal(folder / "journal.jsonl", bench.blobs, mode)
    if not journal.events:
        journal.append(idea_started())
    editor = ScriptedEditor(
        bench.blobs, lambda _, asked: {"a": asked.complete(ASK, FOREVER).text.encode()}
    )
    edges = Edges(model or Slow(0), editor, bench.sandbox, Sources())
    return Ports(edges, journal, bench.blobs, budget, "idea/x")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("time")
    with docker_bench(folder, f"time-{folder}") as bench:
        yield bench


def job(bench: DockerBench, program: str, **limits: Any) -> Job:
    return job_of(bench, Scenario(textwrap.dedent(program)), **limits)


@pytest.mark.engine
def test_a_job_past_its_ideas_time_gets_term_then_its_grace_then_kill(bench: DockerBench) -> None:
    stubborn = job(
        bench,
        """
        import signal, time
        def told(*_): print('term', flush=True); time.sleep(0.2); print('grace', flush=True)
        signal.signal(signal.SIGTERM, told)
        print('up', flush=True)
        while True: time.sleep(0.1)
        """,
        grace=4.0,
    )
    within = Deadline.after(5.0, "idea.wall")
    with bench.sandbox.open(stubborn, within) as session:
        assert session.receive(20) == b"up"
        assert session.receive(20) == b"term"
        assert within.left == 0
        assert session.receive(20) == b"grace", "it goes on for a while after it was asked to end"
        assert session.receive(60) is None
        with pytest.raises(BudgetSpent, match=r"idea\.wall"):
            session.finish()


@pytest.mark.engine
@pytest.mark.sampled
@pytest.mark.parametrize("block", some(["idea", "run"], 1, "outlasts"))
def test_a_job_that_outlasts_the_budget_is_charged_and_asked_again_only_under_a_wider_one(
    bench: DockerBench, tmp_path: Path, block: str
) -> None:
    """The request's hash is the same throughout, so the fork finds and repeats the very call."""
    narrow, wide = JournalBudget(wall=6.0), JournalBudget(wall=600.0)
    if block == "run":
        narrow = wide.within(replace(narrow, of="run"))
    sleeps = job(bench, "import time; time.sleep(9)")
    first = ports_of(bench, tmp_path, Mode.RECORD, narrow)
    with pytest.raises(BudgetSpent, match=rf"{block}\.wall was exceeded"):
        first.run(sleeps)
    assert first.journal.ledger.seconds >= 6.0
    again = ports_of(bench, tmp_path, Mode.RESUME, narrow)
    lines = len(again.journal.events)
    with pytest.raises(BudgetSpent, match="no time is left"):
        again.run(sleeps)
    assert len(again.journal.events) == lines
    assert ports_of(bench, tmp_path, Mode.RESUME, wide).run(sleeps).ok
    calls = Journal(tmp_path / "journal.jsonl", bench.blobs).events[1:]
    assert [event.kind for event in calls] == ["asked", "failed", "asked", "answered"]
    assert len({getattr(event, "request", None) for event in calls}) == 1


@pytest.mark.engine
def test_time_that_other_ideas_took_is_told_with_ones_own_and_never_as_less_than_none(
    bench: DockerBench, tmp_path: Path
) -> None:
    live = LiveUse({}, elapsed=4.75, clock=lambda: 0.0)
    run = JournalBudget(of="run", wall=4.0, live=live)
    ports = ports_of(bench, tmp_path, Mode.RECORD, JournalBudget(wall=60.0).within(run))
    with pytest.raises(BudgetSpent, match=r"4\.75 s of 4 s") as caught:
        ports.complete(ASK)
    assert caught.value.where == "the policy's run.wall"


@pytest.mark.engine
def test_a_replay_never_runs_out(tmp_path: Path, bench: DockerBench) -> None:
    recorded = ports_of(bench, tmp_path, Mode.RECORD, JournalBudget(wall=60.0))
    recorded.complete(ASK)
    replayed = Ports(
        absent("slow"), Journal(tmp_path / "journal.jsonl", bench.blobs, Mode.REPLAY), bench.blobs,
        JournalBudget(wall=0.0), "idea/x",
    )  # fmt: skip
    assert replayed.complete(ASK).text == "done"
    with pytest.raises(Diverged):
        replayed.complete(ASK)


@pytest.mark.engine
def test_a_model_call_that_was_given_up_is_charged_at_its_ceiling(
    tmp_path: Path, bench: DockerBench
) -> None:
    """Nobody knows whether its vendor went on to answer, and bills it."""
    ports = ports_of(bench, tmp_path, Mode.RECORD, JournalBudget(wall=0.2), Slow(30))
    with pytest.raises(BudgetSpent, match=r"idea\.wall"):
        ports.complete(ASK)
    assert ports.journal.ledger.total() == CEILING
    assert Journal(tmp_path / "journal.jsonl", bench.blobs, Mode.RESUME).ledger.total() == CEILING


@pytest.mark.engine
def test_the_model_calls_of_an_edit_end_with_the_edits_own_time(
    tmp_path: Path, bench: DockerBench
) -> None:
    model = Slow(0)
    ports = ports_of(bench, tmp_path, Mode.RECORD, JournalBudget(wall=50.0), model)
    request = EditRequest(
        scope="s", purpose="p", instruction="i", files=Tree(), editable=("a",), limits=LIMITS
    )
    before = time.monotonic()
    assert ports.edit(request).changed == ("a",)
    assert before + 49 < model.given[0].at <= time.monotonic() + 50
    assert model.given[0].limit == "idea.wall"


@pytest.mark.engine
def test_of_all_limits_the_first_to_be_reached_ends_a_call(
    tmp_path: Path, bench: DockerBench
) -> None:
    journal = Journal(tmp_path / "journal.jsonl", bench.blobs)
    idea, run = JournalBudget(wall=100.0, gpu_time=30.0), JournalBudget(of="run", wall=20.0)
    assert idea.deadline(journal).limit == "idea.wall"
    assert idea.within(run).deadline(journal).limit == "run.wall"
    assert idea.within(run).deadline(journal, gpus=4).limit == "idea.gpu_time"
    assert JournalBudget().deadline(journal) is FOREVER


@pytest.mark.engine
def test_a_scripted_job_on_gpus_ends_with_the_ideas_gpu_time(
    tmp_path: Path, bench: DockerBench
) -> None:
    """Two GPUs use it twice as fast."""
    sandbox = ScriptedSandbox(bench.blobs, lambda _: Ending(seconds=20))
    ports = ports_of(bench, tmp_path, Mode.RECORD, JournalBudget(wall=100.0, gpu_time=30.0))
    ports = replace(ports, edges=replace(ports.edges, sandbox=sandbox))
    needs = replace(job(bench, "pass"), limits=replace(LIMITS, gpus=1))
    assert ports.run(needs).ok
    with pytest.raises(BudgetSpent, match=r"idea\.gpu_time"):
        ports.run(replace(needs, scope="2", limits=replace(LIMITS, gpus=2)))


class OneGpu:
    """A driver with one device, and nobody on it."""

    def devices(self) -> tuple[GpuDevice, ...]:
        return (GpuDevice("GPU-a", 1 << 30),)

    def processes(self, uuid: str) -> tuple[tuple[int, int], ...]:  # noqa: ARG002  # the port's
        return ()


def test_a_job_that_waits_for_a_gpu_is_given_up_when_its_ideas_time_is_over() -> None:
    gpus, limits = GpuPool(OneGpu()), replace(LIMITS, gpus=1)
    with (
        gpus.lease(limits),
        pytest.raises(BudgetSpent, match=r"run\.wall"),
        gpus.lease(limits, Deadline.after(0.1, "run.wall"), "idea/y"),
    ):
        pass
    with gpus.lease(limits, Deadline.after(0.1, "run.wall")) as lease:
        assert lease.uuids == ("GPU-a",)


class Sleepy(ScriptedSandbox):
    """Runs what never ends on the real engine, and pretends all the rest."""

    def __init__(self, bench: DockerBench, blobs: BlobStore) -> None:
        super().__init__(blobs, rig.pretend(blobs))
        self.bench, self.store = bench, blobs

    def run(self, job: Job, within: Deadline = FOREVER) -> JobResult:
        code = job.files.get("experiment.py")
        if code and b"sleep(3600)" in self.store.get(code):
            real = replace(job, limits=replace(job.limits, image=LIMITS.image))
            argv = ("python3", "-c", "import time; time.sleep(3600)")
            return DockerSandbox(self.bench.sandbox.pool, self.store).run(
                replace(real, argv=argv), within
            )
        return super().run(job, within)


@dataclass
class Author:
    """Two ideas: the experiment of the first sleeps for an hour, the second is builtin/sweep's."""

    name: str = "builtin/sweep"
    proposed: int = 0
    edited: int = 0

    def ceiling(self, ask: Ask) -> Usage:
        return SweepModel().ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        first = "runs = [fit(seed) for seed in SEEDS]\n"
        self.proposed += ask.purpose == "ideas.propose"
        self.edited += ask.purpose == "experiment.edit"
        if ask.purpose == "ideas.propose" and self.proposed == 1:
            idea = {
                "name": "sweep_step_size",
                "title": "Sleep",
                "experiment": "It sleeps.",
                "done": True,
            }
            return Reply(f"```json\n{json.dumps(idea)}\n```", Usage(1, 1, 0.0), self.name)
        if ask.purpose == "experiment.edit" and self.edited == 1:
            block = f"<<<<<<< SEARCH\n{first}=======\n{first}sleep(3600)\n>>>>>>> REPLACE\n"
            return Reply(f"experiment.py\n```\n{block}```\n", Usage(1, 1, 0.0), self.name)
        return SweepModel().complete(ask, within)


@pytest.mark.engine
def test_in_a_whole_run_an_idea_whose_time_is_over_ends_in_the_middle_of_its_job_and_the_next_goes_on(
    bench: DockerBench, tmp_path: Path
) -> None:
    """Its job alone might sleep for a minute; the idea has six seconds."""
    made = rig.setup(tmp_path)
    made = replace(made, ideas=2, policy=lowered(made.policy, {"idea.wall": "6s"}))

    author = Author()

    def edges(blobs: BlobStore) -> Edges:
        sandbox = Sleepy(bench, blobs)
        return Edges(author, rig.asking_editor(blobs), sandbox, Sources())

    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    failed, finished = research(made, rig.place(tmp_path / "run", Mode.RECORD), tools)
    assert failed.failure is not None
    assert (failed.failure.error, failed.failure.transient) == (BudgetSpent.__name__, True)
    assert "idea.wall was exceeded" in failed.failure.what
    assert "resume RUN --fork" in failed.failure.todo
    assert "/experiments/run_1/attempt_1" in failed.failure.where
    assert finished.status == "finished", finished.failure
    assert bench.left_behind() == ()
