"""Whole runs for tests: the quick template, on scripted edges or on this machine's real ones.

Started as a program it is one orchestrator process that a test may kill::

    python -m tests.support.run_rig FOLDER KILL_AT DELAY

It starts the run in FOLDER (or resumes it, if a journal is there) and sends itself SIGKILL
``DELAY`` seconds after journal line number KILL_AT (over all journals; 0: never; -1: each line
that no process before it got to write) was written.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from orchestrator.api.adapters import real_edges
from orchestrator.api.export import FileExporter
from orchestrator.api.images import resolve_images
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.core.deadline import FOREVER
from orchestrator.core.edit import EditRequest
from orchestrator.core.job import Job
from orchestrator.core.model import Ask, Message
from orchestrator.core.protocols import Blobs, LanguageModel
from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import Recalled
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Listener, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Edges
from orchestrator.research.pins import read_pins, spec_of, template_of
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps, RunLocation, RunSpec
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.support.paper_rig import BLOCK, TWO_PAPERS, png
from tests.support.places import ROOT

QUICK = str(ROOT / "tests" / "data" / "quick")
POLICY = os.environ.get("AISCI_TEST_POLICY") or str(ROOT / "tests/data/policies/quick.yaml")

EVERY = -1  # for KILL_AT: at each line that no process before got to write


def wanted(results: Path, template: str = QUICK, model: str = "builtin/sweep") -> RunRequest:
    return RunRequest(
        template=template,
        model=model,
        scale="smoke",
        policy=POLICY,
        results=results,
        price="0,0" if model.startswith("openai/") else None,
    )


def setup(results: Path, model: str = "builtin/sweep") -> RunSpec:
    return prepare(wanted(results, model=model)).setup


def place(folder: Path, mode: Mode, output: Path | None = None) -> RunLocation:
    record = RunPaths(folder)
    return RunLocation(record=record, output=RunPaths(output) if output else record, mode=mode)


# --- scripted edges -----------------------------------------------------------------------


def asking_editor(blobs: Blobs) -> ScriptedEditor:
    """Shows the editable files as Aider does, asks the model, applies the blocks that fit."""

    def script(request: EditRequest, model: LanguageModel) -> dict[str, bytes]:
        sources = request.files.as_dict()
        files = {path: blobs.get(sources[path]).decode() for path in request.editable}
        shown = "\n".join(f"{path}\n```\n{text}```\n" for path, text in files.items())
        messages = (Message("user", shown), Message("user", request.instruction))
        reply = model.complete(Ask(purpose=request.purpose, messages=messages), FOREVER).text
        path, text = next(iter(files.items()))
        for old, new in BLOCK.findall(reply):
            text = text.replace(old, new, 1)
        return {path: text.encode()} if text != files[path] else {}

    return ScriptedEditor(blobs, script)


def pretend(blobs: Blobs) -> Callable[[Job], Ending]:
    """Each kind of job as it ends on a good day, from the job's own files."""

    def ending(job: Job) -> Ending:
        files = job.files.as_dict()
        if job.kind == "latex":
            return Ending(files=compiled(blobs.get(files["latex/template.tex"]).decode()))
        if job.argv[-1] == "plot.py":
            return Ending(files={"final_loss.png": png(40, 30)})
        code = blobs.get(files["experiment.py"]).decode()
        found = re.search(r"^STEP_SIZE = ([\d.]+)", code, re.MULTILINE)
        assert found
        out = job.argv[2].partition("=")[2]
        means = {"final_loss_mean": 0.2 + float(found[1]), "initial_loss_mean": 4.5}
        stderrs = {"final_loss_stderr": 0.01, "initial_loss_stderr": 0.1}
        info = {"line": {"means": means, "stderrs": stderrs}}
        return Ending(files={f"{out}/final_info.json": json.dumps(info).encode()}, seconds=1.0)

    return ending


def compiled(tex: str) -> dict[str, bytes]:
    """What the LaTeX container leaves of a source with nothing wrong in it."""
    report = {"ok": True, "errors": [], "warnings": [], "undefined": [], "chktex": []}
    report |= {"overfull": [], "pages": 1, "log_tail": ""}
    out = {"report.json": json.dumps(report).encode(), "pages.json": json.dumps([tex]).encode()}
    out |= {"paper.pdf": b"%PDF-1.5 scripted", "page-1.png": png(60, 80)}
    return {f"latex/out/{name}": data for name, data in out.items()}


def scripted_edges(model: LanguageModel) -> Callable[[BlobStore], Edges]:
    def over(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, pretend(blobs))
        return Edges(model, asking_editor(blobs), sandbox, TWO_PAPERS)

    return over


def run_scripted(
    folder: Path,
    model: LanguageModel,
    mode: Mode,
    listener: Listener = lambda _: None,
    spec: RunSpec | None = None,
) -> tuple[PursuedIdea, ...]:
    """One run on scripted edges; its time on disk is its whole cost."""
    made = spec or setup(folder.parent)
    tools = RunDeps(edges=scripted_edges(model), exporter=FileExporter(), listener=listener)
    return research(made, place(folder, mode), tools)


# --- one process on real edges ------------------------------------------------------------


def run_real(folder: Path, listener: Listener) -> tuple[PursuedIdea, ...]:
    """Start or resume the run in ``folder`` on this machine's engine."""
    paths, engine = RunPaths(folder), connect()
    model = os.environ.get("AISCI_TEST_MODEL", "builtin/sweep")
    if paths.journal.exists():
        pins = read_pins(paths)
        made, mode = spec_of(pins, template_of(pins, paths)), Mode.RESUME
    else:
        made, mode = setup(folder.parent, model), Mode.RECORD
        made = replace(made, images=resolve_images(made.policy, engine))
        if os.environ.get("AISCI_TEST_IMPROVE"):
            made = replace(made, reviewing=ReviewPin(reviews=3, improve=1))
    with real_edges(made, engine, run_id(folder)) as edges:
        tools = RunDeps(edges=edges, exporter=FileExporter(), listener=listener)
        return research(made, place(folder, mode), tools)


def run_id(folder: Path) -> str:
    return f"{folder.parent.name}-{folder.name}"


def killer(at: int, delay: float) -> Listener:
    """A listener that ends this process, unannounced, once line ``at`` is on the disk."""
    return kill_at_new_lines() if at == EVERY else kill_at(at, delay)


def kill_at_new_lines() -> Listener:
    """Ends the process at the first line that no process before it got to write.

    The journals are read before they are written, so lines of earlier processes are told
    apart by the place that they stand for: they have been seen when theirs come again.
    """
    marker = Path(os.environ["AISCI_TEST_SEEN"])
    seen = set(marker.read_text().splitlines()) if marker.exists() else set()

    def listen(event: Heard) -> None:
        if isinstance(event, Recalled):
            return
        fields = ("kind", "port", "scope", "ord", "name", "id")
        named = [getattr(event, field, "") for field in fields]
        place = json.dumps(named)
        if place not in seen:
            with marker.open("a") as file:
                file.write(f"{place}\n")
                file.flush()
                os.fsync(file.fileno())
            os.kill(os.getpid(), signal.SIGKILL)

    return listen


def kill_at(at: int, delay: float) -> Listener:
    seen = 0

    def listen(event: Heard) -> None:
        nonlocal seen
        if isinstance(event, Recalled):
            return
        seen += 1
        if seen == at:
            if delay:
                threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    return listen


def start_process(
    folder: Path, at: int = 0, delay: float = 0.0, *, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run this module as a process of its own, and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "tests.support.run_rig", str(folder), str(at), str(delay)],
        cwd=ROOT,
        env=os.environ | {"AISCI_TEST_SEEN": f"{folder}.seen"} | dict(environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def main() -> None:
    folder, at, delay = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    for outcome in run_real(folder, killer(at, delay)):
        print(outcome.status, outcome.failure or "")


if __name__ == "__main__":
    main()
