"""The sandbox's contract, kept by the scripted fake and by real Docker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import Job, JobResult
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.contracts.sandbox import SandboxContract, Scenario
from tests.support.memory_blobs import MemoryBlobs
from tests.support.sandbox_rig import DockerBench, docker_bench


class ScriptedBench:
    def __init__(self) -> None:
        self.blobs = MemoryBlobs()

    def run(self, job: Job, scenario: Scenario, within: Deadline = FOREVER) -> JobResult:
        return ScriptedSandbox(self.blobs, lambda _: scenario.ending).run(job, within)

    def left_behind(self) -> tuple[str, ...]:
        return ()


class TestScriptedSandbox(SandboxContract):
    @pytest.fixture
    def bench(self) -> ScriptedBench:
        return ScriptedBench()


@pytest.fixture(scope="module")
def docker_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("contract")
    with docker_bench(folder, f"contract-{folder}") as bench:
        yield bench


@pytest.mark.engine
class TestDockerSandbox(SandboxContract):
    @pytest.fixture
    def bench(self, docker_run: DockerBench) -> DockerBench:
        return docker_run
