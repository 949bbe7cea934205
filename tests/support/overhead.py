"""What a run costs this machine beside its containers' programs: seconds, and the orchestrator's memory.

``python -m tests.support.overhead TEMPLATE POLICY IDEAS`` runs the command itself, by ``builtin/sweep``,
and prints one JSON line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.journal import Journal
from tests.support.places import ROOT


def main() -> None:
    template, policy, ideas = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(template, policy, ideas, Path(folder))))


def measured(
    template: str, policy: str, ideas: int, folder: Path, *, parallel: int = 0
) -> dict[str, Any]:
    """One run with ``parallel`` ideas in flight (0: all): its wall, its containers' programs, its peak of memory.
    ``host`` is what is left of the wall, for each idea; with one in flight.
    """
    folder.mkdir(exist_ok=True)
    argv = [sys.executable, str(ROOT / "cli.py"), "run", template, "--policy", policy]
    argv += [
        "--scale",
        "smoke",
        "--ideas",
        str(ideas),
        "--parallel",
        str(parallel or ideas),
        "--fresh",
    ]
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([*argv, "--results", str(folder)], stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    assert status == 0, (folder / "log").read_text()[-2000:]
    (run,) = (path.parent for path in folder.glob("*/*/journal.jsonl"))
    walls = list(programs(run))
    return {
        "template": Path(template).name,
        "ideas": ideas,
        "wall": round(wall, 1),
        "containers": len(walls),
        "programs": round(sum(walls), 1),
        "host": round((wall - sum(walls)) / ideas, 1) if (parallel or ideas) == 1 else None,
        "memory_mib": round(usage.ru_maxrss / 1024),
    }


def programs(run: Path) -> Iterator[float]:
    """Seconds of each container's program, from gate to end."""
    for path in (run / "journal.jsonl", *run.glob("*/journal.jsonl")):
        journal = Journal(path, BlobStore(path.parent / "blobs", BlobStore(run / "blobs")))
        for step in steps(journal):
            if step.answer is not None and step.port in {"sandbox", "editor"}:
                box = step.result.attestation if step.port == "sandbox" else step.edit.attestation
                yield box.peaks.wall if box else 0.0


if __name__ == "__main__":
    main()
