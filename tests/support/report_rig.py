"""A small recorded idea, written through the real journal with values that a test chooses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.errors import ModelBusy
from orchestrator.core.job import Attestation, Egress, Job, JobResult, Peaks, Verdict
from orchestrator.core.model import Ask, Message, ModelRequest, Reply, Usage
from orchestrator.core.papers import Claim, HiddenText, Paper, Review
from orchestrator.core.research import Failure, Figure, Idea, Novelty, Run
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal
from orchestrator.record.literature_notes import NoveltyJudged
from orchestrator.record.notes import (
    FiguresInspected,
    IdeaFinished,
    RunFinished,
    StageBegan,
    StageFailed,
    StageReached,
)
from orchestrator.record.pins import ModelPin, TemplatePin
from tests.support.journal_rig import idea_started, run_started
from tests.support.places import ROOT

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
LIMITS = load_policy("ci-cpu", ROOT / "policies").limits("experiment")
MANIFEST = """\
version: 1
name: toy
title: A toy
description: Nothing much.
editable: [experiment.py]
metrics:
  loss: {direction: lower, unit: nats, description: the loss, headline: true}
  accuracy: {direction: higher, description: the accuracy}
scales: {smoke: {minutes: 1, description: small}}
"""


def box(verdict: Verdict = Verdict.FINISHED, **more: Any) -> Attestation:
    peaks = Peaks(memory=2**28, pids=7, disk=2**20, inodes=12, cpu_time=3.0, wall=4.0)
    known: dict[str, Any] = {
        "container": "c0ffee",
        "image": "sha256:abc",
        "policy": "p",
        "engine": "20.10",
        "kernel": "6",
        "runtime": "runc",
        "storage": "loop",
        "asked": (("Memory", "3221225472"), ("NetworkMode", "none")),
        "inspected": (("Memory", "3221225472"), ("NetworkMode", "none")),
        "seen": (("NoNewPrivs", "1"),),
        "hit": (),
        "peaks": peaks,
        "verdict": verdict,
    }
    return Attestation(**known | more)


def final_info(loss: float, accuracy: float) -> bytes:
    means = {"loss": loss, "accuracy": accuracy}
    return json.dumps({"toy": {"means": means, "stderrs": {"loss": 0.1, "accuracy": 0.1}}}).encode()


class Recorded:
    """A run's journal and one idea's, under ``folder``; ``say`` is hostile or plain text."""

    def __init__(self, folder: Path, say: str = "plain words") -> None:
        self.folder, self.say = folder, say
        self.shared = BlobStore(folder / "blobs")
        self.run = Journal(folder / "journal.jsonl", self.shared)
        self._start()
        self.idea = Idea(name=f"idea {say}", title=f"Title {say}", experiment=f"Try {say}", runs=4)
        self.place = folder / "toy_idea"
        self.blobs = BlobStore(self.place / "blobs", self.shared)
        self.journal = Journal(self.place / "journal.jsonl", self.blobs)
        self.journal.append(idea_started(self.idea))
        self.scope = f"idea/{self.idea.id}"
        undecided = Novelty(decision="undecided", reason=say)
        self.journal.note(f"{self.scope}/novelty", NoveltyJudged(novelty=undecided))

    def _start(self) -> None:
        code = {"experiment.py": b"RATE = 1\n", "template.yaml": MANIFEST.encode()}
        self.code = Tree.of({name: self.shared.put(data) for name, data in code.items()})
        template = TemplatePin(name="toy", origin="./toy", hash="t", files=self.code)
        self.run.append(
            run_started(
                template=template,
                images=(("aisci-sandbox:cpu", "sha256:abc"),),
                models=(ModelPin(name="builtin/sweep", author=f"author {self.say}"),),
            )
        )
        files = Tree.of({"run_0/final_info.json": self.shared.put(final_info(1.0, 0.5))})
        self.job(self.run, "run/baseline", JobResult(**self.ended(), files=files))

    def ended(self, verdict: Verdict = Verdict.FINISHED) -> dict[str, Any]:
        return {
            "stdout": self.say,
            "stderr": self.say,
            "attestation": box(verdict, egress=self.asked()),
            "refused": ((f"bad {self.say}", "a symbolic link"),),
        }

    def asked(self) -> tuple[Egress, ...]:
        """Two decisions of a proxy, and a sum of more."""
        reached = Egress(
            at=0.5, host="api.example.org:443", allowed=True, address="93.184.216.34", sent=2048
        )
        refused = Egress(at=0.7, host=f"{self.say}:443", allowed=False, why=self.say)
        return reached, refused, replace(refused, host="", count=40)

    def job(self, journal: Journal, scope: str, result: JobResult) -> None:
        job = Job(
            scope=scope,
            kind="experiment",
            argv=("python", "experiment.py"),
            files=self.code,
            limits=LIMITS,
            harvest=("run_1/",),
        )
        journal.call("sandbox", scope, job, JobResult, lambda: result)

    def attempt(
        self, number: int, *, source: bytes, loss: float, accuracy: float, inside: bool = True
    ) -> Run:
        """A run that an edit (``inside`` a container) and a job make, noted as finished."""
        scope = f"{self.scope}/experiments/run_{number}/attempt_1"
        code = self.code.updated({"experiment.py": self.blobs.put(source)})
        request = EditRequest(
            scope=scope,
            purpose="experiment.edit",
            instruction="turn it",
            files=self.code,
            editable=("experiment.py",),
            limits=LIMITS,
        )
        evidence = box() if inside else None
        edit = Edit(files=code, changed=("experiment.py",), reply=self.say, attestation=evidence)
        self.journal.call("editor", scope, request, Edit, lambda: edit)
        ask = Ask(purpose="experiment.edit", messages=(Message("user", self.say),))
        body = ModelRequest("builtin/sweep", ask)
        reply = Reply(self.say, Usage(100, 20, 0.25), "builtin/sweep")
        self.journal.call("model", f"{scope}/editor", body, Reply, lambda: reply)
        sha256 = self.blobs.put(final_info(loss, accuracy))
        files = Tree.of({f"run_{number}/final_info.json": sha256})
        self.job(self.journal, scope, JobResult(**self.ended(), files=files))
        run = Run(
            number=number,
            name=f"run {number}",
            code=code,
            files=files,
            description=f"turned {self.say}",
            attempts=1,
            seconds=4.0,
        )
        self.journal.note(f"{self.scope}/experiments/run_{number}", RunFinished(run=run))
        return run

    def busy(self) -> None:
        """A model call that failed: its error is what the report shows."""

        def make() -> Reply:
            raise ModelBusy(f"busy {self.say}")

        ask = Ask(purpose="notes.edit", messages=(Message("user", self.say),))
        body = ModelRequest("builtin/sweep", ask)
        try:
            self.journal.call("model", f"{self.scope}/notes", body, Reply, make)
        except ModelBusy:
            return

    def reach(self) -> None:
        """Everything that a finished study shows: figures, paper, claims, review."""
        page, figure = self.blobs.put(PNG), self.blobs.put(PNG + b"\0")
        made = Tree.of(
            {"latex/out/page-1.png": page, "latex/out/paper.pdf": self.blobs.put(b"%PDF")}
        )
        review = Review(summary=self.say, strengths=(self.say,), weaknesses=(), reviewer=self.say)
        reached = StageReached(
            stage="review",
            tree=made.updated({"curve.png": figure}),
            figures=("curve.png",),
            captions=(Figure(name="curve.png", caption=f"Loss {self.say}", description=self.say),),
            paper=Paper(
                files=made,
                pages=(self.say,),
                warnings=(self.say,),
                hidden=(HiddenText(kind="small", text=self.say, page=1, box=(0.0, 0.0, 9.0, 9.0)),),
            ),
            claims=(
                Claim(text=f"0.5 {self.say}", where=self.say, source="run 0"),
                Claim(text="7", where="abstract"),
            ),
            reviews=(review,),
        )
        seen = FiguresInspected(problems=(f"flaw {self.say}",), left_out=((self.say, "dull"),))
        self.journal.note(f"{self.scope}/plots", seen)
        self.journal.note(f"{self.scope}/review", reached)
        finished = IdeaFinished(verified=True, reviewed=True, runs=2, claims=2)
        self.journal.note(f"{self.scope}/review", finished)

    def fail(self) -> None:
        failure = Failure(stage="plots", error="IdeaFailed", what=self.say, where=self.say)
        self.journal.note(f"{self.scope}/plots", StageFailed(failure=failure))


def finished(folder: Path, say: str = "plain words") -> Recorded:
    """A finished idea with one better, one worse and one equal run."""
    known = Recorded(folder, say)
    known.journal.note(known.scope, StageBegan(name="experiments"))
    known.attempt(1, source=b"RATE = 2\n", loss=0.5, accuracy=0.2)
    known.attempt(2, source=b"RATE = 3\n", loss=1.05, accuracy=0.5)
    known.busy()
    known.reach()
    return known
