"""Under a policy with an allow-list a run's journal says what each experiment asked of the network.

Experiments and plots run in real containers; the editor and LaTeX, which reach nothing, are
scripted. Names are looked up for real: one that no resolver may know is refused for that.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import FileExporter, journal_of_run, open_journal
from orchestrator.api.images import resolve_images
from orchestrator.api.prepare import prepare
from orchestrator.core.job import Job, JobResult
from orchestrator.literature.sources import Sources
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import Answered
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.ports import Edges
from orchestrator.report import idea_report, read_run
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps, RunLocation, RunSpec
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.support import run_rig as rig
from tests.support.sandbox_rig import opened_sandbox

pytestmark = pytest.mark.engine

POLICY = """
version: 1
name: out
description: The quick template's limits, and one host that no resolver knows.
extends: ci-cpu
exceeds: {experiment.network: a test of the allow-list}
experiment:
  resources: {cpus: 2, memory: 1GiB, pids: 64, shm: 64MiB, open_files: 1024}
  storage: {workspace: 48MiB, tmp: 64MiB, inodes: 2000, file: 40MiB}
  harvest: {files: 1000, bytes: 40MiB, file: 32MiB, depth: 6}
  network: {allow: ["no-such-host.example.org:443"]}
"""
ASKS = """
import urllib.request
for url in ("https://no-such-host.example.org/", "https://evil.example.org/"):
    try:
        urllib.request.urlopen(url, timeout=30)
    except OSError as error:
        print(error)
"""
TOLD = [
    ("no-such-host.example.org:443", False, "no address found"),
    ("evil.example.org:443", False, "not in the allow-list"),
]


class RealExperiments:
    """Experiments on the engine, papers from a script."""

    def __init__(self, real: DockerSandbox, scripted: ScriptedSandbox) -> None:
        self._real, self._scripted = real, scripted

    def run(self, job: Job, *more: Any) -> JobResult:
        if job.kind == "experiment":
            return self._real.run(job, *more)
        return self._scripted.run(job, *more)


def written(folder: Path) -> tuple[Path, Path]:
    """A template that asks for two hosts as it starts, and a policy that allows one."""
    template, policy = folder / "asking", folder / "out.yaml"
    shutil.copytree(rig.QUICK, template)
    code = (template / "experiment.py").read_text()
    (template / "experiment.py").write_text(code.replace("\nparser", f"{ASKS}\nparser", 1))
    policy.write_text(POLICY)
    return template, policy


def egress_of(journal: Journal) -> list[list[tuple[str, bool, str]]]:
    """For each recorded experiment, what it asked for, whether it was let out, and why not."""
    answers = [
        journal.load(event.body)
        for event in journal.events
        if isinstance(event, Answered) and event.port == "sandbox"
    ]
    told = [answer["attestation"]["egress"] for answer in answers]
    return [[(one["host"], one["allowed"], one["why"].partition(":")[0]) for one in each]
            for each in told if each]  # fmt: skip


def test_each_decision_of_the_proxy_is_in_the_journal_in_the_report_and_in_the_replay(
    tmp_path: Path,
) -> None:
    template, policy = written(tmp_path)
    wanted = replace(rig.wanted(tmp_path, str(template)), policy=str(policy))
    setup, engine = prepare(wanted).setup, connect()
    setup = replace(setup, images=resolve_images(setup.policy, engine))
    images = dict(setup.images)
    store = BlobStore(tmp_path / "store")
    with opened_sandbox(engine, store, f"out-{tmp_path}", images.__getitem__) as sandbox:

        def edges(blobs: BlobStore) -> Edges:
            scripted = ScriptedSandbox(blobs, rig.pretend(blobs))
            both = RealExperiments(DockerSandbox(sandbox.pool, blobs), scripted)
            return Edges(SweepModel(), rig.asking_editor(blobs), both, Sources())

        folder = tmp_path / "run"
        assert ended(setup, edges, rig.place(folder, Mode.RECORD)) == ["finished"]
    engine.close()
    idea = open_journal(IdeaPaths(next(folder.glob("*/journal.jsonl")).parent))
    run = journal_of_run(idea)
    assert run is not None
    assert egress_of(run) == [TOLD]
    assert len(egress_of(idea)) >= 2
    assert all(told == TOLD for told in egress_of(idea))
    page = idea_report(idea, read_run(run))
    assert "no-such-host.example.org:443" in page
    assert "0 allowed, 2 refused" in page
    replayed = rig.place(folder, Mode.REPLAY, tmp_path / "again")
    assert ended(setup, lambda _: absent(setup.author), replayed) == ["finished"]


def ended(setup: RunSpec, edges: Callable[[BlobStore], Edges], place: RunLocation) -> list[str]:
    """How a run's ideas end."""
    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    return [outcome.status for outcome in research(setup, place, tools)]
