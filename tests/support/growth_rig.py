"""``python -m tests.support.growth_rig STEP FOLDER COUNT``: one step on a run of COUNT ideas.

Prints the CPU seconds and the peak memory in MiB that the step took, in a process of its own. Edges
are scripted and nothing is synced, so that the host's own work is measured.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.api.audits import audit_folder
from orchestrator.api.export import FileExporter, write_reports
from orchestrator.api.reproduce import replay
from orchestrator.audit.chain import Anchor
from orchestrator.audit.page import audit_page
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import Job
from orchestrator.core.model import Ask, Message, ModelRequest, Reply, Usage
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from tests.contracts.sandbox import LIMITS
from tests.support import run_rig as rig
from tests.support.journal_rig import run_started
from tests.support.sandbox_rig import docker_bench


class ManyIdeas(SweepModel):
    """Proposes a new idea each time; all other answers are the sweep's."""

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        if ask.purpose.startswith("ideas."):
            number = sum(len(message.content) for message in ask.messages)
            idea = {"name": "sweep_step_size", "title": f"Sweep {number} {os.urandom(6).hex()}"}
            idea |= {"experiment": "Set the step size to other values of the list."}
            return Reply(json.dumps({**idea, "done": True}), Usage(), self.name)
        return super().complete(ask, within)


def record(folder: Path, count: int) -> None:
    made = rig.setup(folder.parent)
    setup = replace(made, ideas=count)
    deps = RunDeps(
        edges=rig.scripted_edges(ManyIdeas()), exporter=FileExporter(), listener=lambda _: None
    )
    research(setup, rig.place(folder, Mode.RECORD), deps)


def write_events(folder: Path, count: int) -> None:
    """One journal of so many lines."""
    journal = Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"))
    journal.append(run_started())
    for number in range((count - 1) // 2):
        request = ModelRequest("m", Ask(purpose="p", messages=(Message("user", str(number)),)))
        scope = f"run/{number}"
        journal.call("model", scope, request, Reply, lambda: Reply("!", Usage(1, 1, 0.0), "m"))


def read_events(folder: Path, count: int) -> None:
    """Open that journal and read every call."""
    journal = Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"), Mode.REPLAY)
    assert len(steps(journal)) == (count - 1) // 2


def outputs(folder: Path, mebibytes: int) -> None:
    """A real job that leaves so many MiB, harvested and copied into a results folder."""
    program = f"""
import os
os.makedirs("run_1", exist_ok=True)
for part in range(4):
    with open(f"run_1/part_{{part}}.bin", "wb") as file:
        for _ in range({mebibytes} // 4):
            file.write(os.urandom(1 << 20))
"""
    room: dict[str, Any] = {
        "workspace": 3 << 30,
        "file": 1 << 30,
        "harvest_bytes": 2 << 30,
        "harvest_file": 1 << 30,
    }
    with docker_bench(folder, f"outputs-{folder}") as bench:
        code = bench.blobs.put(program.encode())
        job = Job(
            scope="run/outputs", kind="experiment", argv=("python", "main.py"),
            files=Tree.of({"main.py": code}), harvest=("run_1/",),
            limits=replace(LIMITS, image="aisci-sandbox:cpu", wall=300.0, cpu_time=300.0, **room),
        )  # fmt: skip
        result = bench.sandbox.run(job)
        assert result.ok, result
        assert sum(bench.blobs.size(sha256) for _, sha256 in result.files.files) == mebibytes << 20
        IdeaPaths(folder / "out").export(result.files, bench.blobs, {})


STEPS: dict[str, Callable[[Path, int], object]] = {
    "start": lambda _folder, _count: None,
    "record": record,
    "audit": lambda folder, _: audit_page(audit_folder(RunPaths(folder), Anchor())),
    "report": lambda folder, _: write_reports(str(folder), folder.parent),
    "outputs": outputs,
    "write_events": write_events,
    "read_events": read_events,
    "replay": lambda folder, _: replay(str(folder)),
}


def main() -> None:
    step, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    os.fsync = lambda fd: None  # noqa: ARG005 - its own name for it
    before = time.process_time()
    STEPS[step](folder, count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": time.process_time() - before, "mib": peak}))


if __name__ == "__main__":
    main()
