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

from orchestrator.api.audits import audit_folder
from orchestrator.api.export import FileExporter, write_reports
from orchestrator.api.runs import replay
from orchestrator.audit.chain import Anchor
from orchestrator.audit.page import audit_page
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.record.journal import Mode
from orchestrator.record.paths import RunPaths
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from tests.support import run_rig as rig


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


STEPS: dict[str, Callable[[Path, int], object]] = {
    "start": lambda _folder, _count: None,
    "record": record,
    "audit": lambda folder, _: audit_page(audit_folder(RunPaths(folder), Anchor())),
    "report": lambda folder, _: write_reports(str(folder), folder.parent),
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
