"""A recorded run with containers as an engine would tell of them, and hands that change it.

The run is on scripted edges; what an engine would have been asked, made and shown is put beside
each result. ``Forger`` is somebody who can write to the folder and makes every hash anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from orchestrator.api.audits import audit_folder
from orchestrator.api.export import FileExporter, open_journal
from orchestrator.audit.audit import Audit, audit_run
from orchestrator.audit.chain import Anchor
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Attestation, Job, JobResult, Limits, Peaks, Verdict
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.tree import canonical, digest
from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.literature.sources import Sources
from orchestrator.policy.policy import Policy
from orchestrator.record.attestation import SettingPairs, container_statement, flatten_settings
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import write_evidence
from orchestrator.record.events import GENESIS
from orchestrator.record.journal import Listener, Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.pins import ImageContents, ReviewPin
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.job.spec import create_request
from orchestrator.sandbox.job.verify import hash_profiles
from orchestrator.sandbox.scripted import ScriptedSandbox
from tests.support import run_rig as rig

IMAGES = tuple(
    (name, f"sha256:{digest(name)}")
    for name in ("aisci-editor", "aisci-latex", "aisci-sandbox:cpu", "aisci-storage")
)
WORKER = ("python3", "-I", "/opt/aisci/editor/worker.py")
_numbers = count(1)

Line = dict[str, Any]


# --- containers that never were -----------------------------------------------------------


def attested(job: Job, told: Attestation) -> Attestation:
    """``told`` with everything that a Docker engine and a kernel would have said of the job."""
    image = dict(IMAGES)[job.limits.image]
    asked = asked_of(job, image)
    env = create_request(job, image=image, volume="v", labels={}, duplex=False)["Env"]
    seen_env = tuple((f"Env.{name}", value) for name, _, value in (e.partition("=") for e in env))
    return replace(
        told,
        container=digest(f"container {next(_numbers)}"),
        image=image,
        engine="docker 20.10",
        kernel="6.1",
        runtime=job.limits.runtime,
        storage="loop",
        asked=asked,
        inspected=(*asked, *seen_env),
        seen=seen_of(job.limits),
    )


def asked_of(job: Job, image: str) -> SettingPairs:
    """What the engine is asked for, as a sandbox's evidence has it."""
    body = create_request(
        job,
        image=image,
        volume="aisci-0-1",
        labels={},
        duplex=job.kind == "editor",
        egress="/tmp/aisci/egress.sock" if job.limits.network else "",
    )
    keys = ("User", "WorkingDir", "Entrypoint", "Cmd", "Tty", "OpenStdin", "Healthcheck")
    host = body["HostConfig"] | {"SecurityOpt": hash_profiles(body["HostConfig"]["SecurityOpt"])}
    return flatten_settings(
        {"Config": {key: body[key] for key in keys}, "HostConfig": host, "Image": image}
    )


def seen_of(limits: Limits) -> SettingPairs:
    """What a kernel shows of a container that is as it should be."""
    uid, _, gid = limits.user.partition(":")
    none = "0" * 16
    rights = {"Uid": " ".join([uid] * 4), "Gid": " ".join([gid] * 4), "NoNewPrivs": "1"}
    rights |= {"Seccomp": "2", "CapEff": none, "CapPrm": none, "CapBnd": none, "CapAmb": none}
    rights |= {f"own {space} namespace": "yes" for space in ("net", "pid", "ipc", "mnt", "uts")}
    rights |= {"limit memory": str(limits.memory), "limit swap": "0", "limit core file": "1"}
    rights |= {"limit pids": str(limits.pids), "limit cpus": f"{limits.cpus:g}"}
    rights |= {"limit file size": str(limits.file), "limit open files": str(limits.open_files)}
    rights |= {"resolv.conf": "nameserver 127.0.0.1; options ndots:1"}
    return (*rights.items(), ("mount of the workspace", "ext4 rw,nosuid,nodev,noexec,relatime"))


class AttestingSandbox:
    def __init__(self, blobs: BlobStore, policy: str) -> None:
        self._inner = ScriptedSandbox(blobs, rig.pretend(blobs), policy)

    def run(self, job: Job, within: Deadline = FOREVER) -> JobResult:
        result = self._inner.run(job, within)
        return replace(result, attestation=attested(job, result.attestation))


class AttestingEditor:
    """Its container is like a job's; ``policy`` is the policy's hash."""

    def __init__(self, inner: ScriptedEditor, policy: str) -> None:
        self._inner, self._policy = inner, policy

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline = FOREVER) -> Edit:
        edit = self._inner.edit(request, model, within)
        job = Job(
            scope=request.scope, kind="editor", argv=WORKER, files=request.files,
            limits=request.limits, harvest=request.editable,
        )  # fmt: skip
        nothing = Attestation(
            container="", image="", policy=self._policy, engine="", kernel="", runtime="",
            storage="", asked=(), inspected=(), seen=(), hit=(), peaks=Peaks(memory=1 << 20, wall=1.0),
            verdict=Verdict.FINISHED, exit_code=0,
        )  # fmt: skip
        return replace(edit, attestation=attested(job, nothing))


def record(
    folder: Path,
    mode: Mode = Mode.RECORD,
    *,
    policy: Policy | None = None,
    model: LanguageModel | None = None,
    listener: Listener = lambda _: None,
    ideas: int = 1,
    contents: tuple[ImageContents, ...] = (),
    reviewing: ReviewPin | None = None,
) -> tuple[PursuedIdea, ...]:
    """A run of the quick template that an audit has nothing to say against."""
    made = replace(rig.setup(folder.parent), images=IMAGES, ideas=ideas)
    made = replace(made, reviewing=reviewing) if reviewing else made
    made = replace(made, policy=policy) if policy else made
    scripted = rig.scripted_edges(model or SweepModel())

    def edges(blobs: BlobStore) -> Edges:
        inner = scripted(blobs)
        assert isinstance(inner.editor, ScriptedEditor)
        editor = AttestingEditor(inner.editor, made.policy.hash)
        return Edges(inner.model, editor, AttestingSandbox(blobs, made.policy.hash), Sources())

    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=listener)
    return research(made, replace(rig.place(folder, mode), contents=contents), tools)


# --- asking ---------------------------------------------------------------------------------


def audited(folder: Path, **given: Any) -> Audit:
    """The audit of the record; the files beside it are not looked at, which takes a replay."""
    return audit_run(RunPaths(folder), Anchor(**given), None, "")


def whole(folder: Path, **given: Any) -> Audit:
    """The audit of the whole folder, as the command makes it."""
    return audit_folder(RunPaths(folder), Anchor(**given))


def idea_of(folder: Path) -> Path:
    """The journal of the run's idea."""
    return next(folder.glob("*/journal.jsonl"))


# --- somebody who can write to the folder ---------------------------------------------------


class Forger:
    """Changes lines of a run's journals, and makes hashes, seals and evidence files anew."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run, self.idea = folder, folder / "journal.jsonl", idea_of(folder)

    @staticmethod
    def lines(path: Path) -> list[Line]:
        return [json.loads(raw) for raw in path.read_bytes().splitlines()]

    def change(self, path: Path, change: Callable[[list[Line]], object]) -> None:
        """Let ``change`` work on the lines of one journal, then make the whole chain anew."""
        lines = self.lines(path)
        change(lines)
        self.write(path, lines)
        if path != self.run:
            self.write(self.run, self.lines(self.run))

    def write(self, path: Path, lines: list[Line]) -> None:
        """The chain anew, seals included; what else lines say is the forger's business."""
        head, raws = GENESIS, []
        for number, line in enumerate(lines):
            line.update(n=number, prev=head)
            if line["kind"] == "sealed":
                line.update(count=number, head=head)
                line.update({"ideas": self.heads()} if path == self.run else {})
                line.pop("check", None)
                line["check"] = digest(line)
            raws.append(canonical(line))
            head = digest(raws[-1])
        path.write_bytes(b"".join(raw + b"\n" for raw in raws))

    def heads(self) -> dict[str, str]:
        found = sorted(self.folder.glob("*/journal.jsonl"))
        return {path.parent.name: digest(path.read_bytes().splitlines()[-1]) for path in found}

    def box(self, change: Callable[[Line, Line, Line], object], place: str = "sandbox") -> None:
        """Change (request, answer, attestation) of the last such call, with hash and evidence."""

        def of_lines(lines: list[Line]) -> None:
            answered = [x for x in lines if x["kind"] == "answered" and x["port"] == place][-1]
            key = ("port", "scope", "ord")
            asked = [
                x for x in lines if x["kind"] == "asked" and all(x[k] == answered[k] for k in key)
            ][-1]
            blobs = BlobStore(self.idea.parent / "blobs", BlobStore(self.folder / "blobs"))
            request, answer = loaded(asked["body"], blobs), loaded(answered["body"], blobs)
            change(request, answer, answer["attestation"])
            asked["body"], answered["body"] = inline(request), inline(answer)
            asked["request"] = answered["request"] = digest(request)
            port, scope, ordinal = (answered[k] for k in key)
            told = container_statement(port, scope, ordinal, digest(request), request, answer)
            answered["evidence"] = inline(told)

        self.change(self.idea, of_lines)
        self.files()

    def files(self) -> None:
        """The files of evidence, as the idea's journal now has it."""
        folder = self.idea.parent / "evidence"
        told = [line["evidence"] for line in self.lines(self.idea) if line.get("evidence")]
        for path, body in zip(sorted(folder.glob("*")), told, strict=True):
            blobs = BlobStore(self.idea.parent / "blobs")
            path.write_bytes(canonical(loaded(body, blobs)) + b"\n")


def inline(value: Any) -> Line:
    """A body that holds ``value`` itself."""
    return {"inline": value, "blob": None}


def loaded(body: Line, blobs: BlobStore) -> Line:
    found: Line = json.loads(blobs.get(body["blob"])) if body["blob"] else body["inline"]
    return found


def write_evidence_of(journal: Path) -> None:
    """The files of evidence that an idea's journal makes, over again."""
    write_evidence(journal.parent / "evidence", open_journal(IdeaPaths(journal.parent)))
