"""A policy's block `model` holds before anything is asked; a confidential set keeps output at home."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api import adapters, policies, runs
from orchestrator.api.export import FileExporter
from orchestrator.api.prepare import open_author, prepare
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BadPolicy
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Machine
from orchestrator.core.job import Job
from orchestrator.core.model import Ask, Reply
from orchestrator.policy.policy import load_policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.record.pins import ModelPin
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps, RunSpec
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from orchestrator.template.template import load_template
from tests.policy.test_policy import ROOT, written
from tests.support import run_rig as rig
from tests.support.ceiling_rig import ceiling_at, ceiling_text
from tests.support.paper_rig import TWO_PAPERS

SECRET = "PRIVATE-ROW-4711"
KEY = "sk-" + "t" * 24


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    large = Machine(cpus=64, memory=2**40, disk=2**44, gpus=8, gpu_memory=2**37)
    monkeypatch.setattr(policies, "this_machine", lambda _folder=None: large)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)


def narrow(folder: Path, rules: str) -> str:
    return written(folder, f"extends: ci-cpu\nmodel: {{{rules}}}")


def test_a_run_is_refused_for_each_model_that_its_policy_does_not_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "http://llm.corp.example/v1"
    name = narrow(tmp_path, f'allow: ["openai/scripted", "openai/own@{own}"]')
    wanted = replace(rig.wanted(tmp_path, model="openai/scripted"), policy=name)
    prepare(wanted)
    with pytest.raises(BadPolicy, match="does not let openai/other be asked at its vendor") as no:
        prepare(replace(wanted, model="openai/other"))
    assert "mine.yaml:5:9: model.allow" in str(no.value)
    with pytest.raises(BadPolicy, match="openai/gpt-4o"):
        prepare(replace(wanted, roles=(("reviewing", "openai/gpt-4o"),)))
    monkeypatch.setenv("OPENAI_API_BASE", own)
    prepare(replace(wanted, model="openai/own"))
    with pytest.raises(BadPolicy, match=f"openai/scripted be asked at {own}"):
        prepare(wanted)


def test_an_author_that_asks_no_model_may_run_under_a_policy_that_allows_none(
    tmp_path: Path,
) -> None:
    prepare(replace(rig.wanted(tmp_path), policy=narrow(tmp_path, "allow: []")))


def test_a_resume_with_a_forbidden_model_is_refused_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    policy = load_policy(narrow(tmp_path, 'allow: ["openai/scripted"]'), ROOT)
    made = replace(rig.setup(tmp_path), policy=policy)
    rig.run_scripted(folder, SweepModel(), Mode.RECORD, spec=made)
    before = (folder / "journal.jsonl").read_bytes()
    monkeypatch.setattr(runs, "connect", lambda: None)
    monkeypatch.setattr(runs, "resolve_images", lambda *_: ())
    request = ResumeRequest(
        run=str(folder), results=tmp_path, fork=True, model="openai/other", price="0,0"
    )
    with pytest.raises(BadPolicy, match="openai/other"):
        runs.resume(request)
    assert (folder / "journal.jsonl").read_bytes() == before


def test_the_model_is_held_to_the_policy_again_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the address that the environment gives it then, whatever the record says."""
    policy = load_policy(narrow(tmp_path, 'allow: ["openai/scripted"]'), ROOT)
    setup = replace(rig.setup(tmp_path), policy=policy, model="openai/scripted")
    adapters._models(setup, None)
    fallback = ModelPin(name="openai/other", author="openai/other", role="fallback")
    with pytest.raises(BadPolicy, match="openai/other"):
        adapters._models(replace(setup, roles=(fallback,)), None)
    monkeypatch.setenv("OPENAI_API_BASE", "http://elsewhere.example/v1")
    with pytest.raises(BadPolicy, match=r"elsewhere\.example"):
        adapters._models(setup, None)


def test_no_command_asks_a_model_that_the_ceiling_of_the_machine_forbids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = 'model:\n  allow: ["openai/own"]\n  feedback: tails\nidea:\n'
    ceiling_at(tmp_path, monkeypatch, ceiling_text(**{"idea:\n": block}))
    environ = {"OPENAI_API_KEY": KEY}
    open_author("openai/own", environ=environ)
    open_author("builtin/sweep", environ=environ)
    with pytest.raises(BadPolicy, match="openai/other"):
        open_author("openai/other", environ=environ)


# --- what leaves of a failed attempt --------------------------------------------------------


class Listening(SweepModel):
    """Keeps every text that it is asked."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        self.heard += [str(one.content) for one in ask.messages]
        return super().complete(ask, within)


def failing(blobs: BlobStore) -> Callable[[Job], Ending]:
    """Experiments of an idea print a private row in every way that there is, and fail."""
    good, spoilt = rig.pretend(blobs), iter(range(3))

    def ending(job: Job) -> Ending:
        if "/experiments/run_1/" not in job.scope:
            return good(job)
        number = next(spoilt, 3)
        if number == 0:
            return Ending(exit_code=1, stdout=SECRET, stderr=SECRET)
        if number == 1:
            return Ending(stdout=SECRET, files={f"run_1/{SECRET}.txt": b""})
        if number == 2:
            bad = json.dumps({SECRET: {"means": SECRET}}).encode()
            return Ending(stdout=SECRET, files={"run_1/final_info.json": bad})
        return good(job)

    return ending


def heard(folder: Path, spec: RunSpec) -> str:
    """All that a model was asked in a run whose first attempts fail."""
    model = Listening()

    def edges(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, failing(blobs))
        return Edges(model, rig.asking_editor(blobs), sandbox, TWO_PAPERS)

    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    research(spec, rig.place(folder, Mode.RECORD), tools)
    assert '"exit_code": 1' in "\n".join(model.heard)
    return "\n".join(model.heard)


def test_whole_tails_go_to_the_model_unless_the_policy_says_otherwise(tmp_path: Path) -> None:
    assert SECRET in heard(tmp_path / "run", rig.setup(tmp_path))


def test_under_verdict_nothing_that_a_failed_program_wrote_reaches_a_model(tmp_path: Path) -> None:
    policy = load_policy(narrow(tmp_path, "feedback: verdict"), ROOT)
    text = heard(tmp_path / "run", replace(rig.setup(tmp_path), policy=policy))
    assert SECRET not in text
    assert '"verdict": "failed"' in text
    assert "not shown: it may hold confidential data" in text


def test_a_data_set_marked_as_confidential_keeps_output_at_home_whatever_the_policy_says(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "marked"
    folder.mkdir()
    for path, data in load_template(rig.QUICK, shipped_root()).files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    manifest = folder / "template.yaml"
    text = manifest.read_text("utf-8")
    assert "source: builtin}" in text
    manifest.write_text(text.replace("source: builtin}", "source: builtin, confidential: true}"))
    spec = prepare(replace(rig.wanted(tmp_path), template=str(folder))).setup
    assert spec.policy.tells_tails
    assert SECRET not in heard(tmp_path / "run", spec)
