"""What only a container shows is seen before a run begins: nothing is asked, paid or left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.api import policies, runs
from orchestrator.api.images import same_images
from orchestrator.api.prepare import open_author, prepare
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.console.options import View
from orchestrator.console.run import start
from orchestrator.core.errors import (
    BadPolicy,
    ControlUnavailable,
    ImageStale,
    SandboxFailed,
    UserError,
)
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Machine
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy, lowered
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.record.pins import DataPin, ModelPin
from orchestrator.record.ports import Ports
from orchestrator.research.preflight import rehearse, require_time
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.stages.compile import latex_job
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.gpus import nvml as gpu
from orchestrator.sandbox.job import gate_view
from orchestrator.sandbox.job.slot import Shape
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from orchestrator.sandbox.storage.volumes import Volumes
from orchestrator.template.folder import shipped_templates
from orchestrator.template.template import load_template
from tests.support import run_rig as rig

VIEW = View(quiet=True, as_json=False)
SMALL = "resources: {cpus: 1, memory: 256MiB, pids: 64, shm: 8MiB, open_files: 256}"
ROOM = "storage: {workspace: 16MiB, tmp: 8MiB, inodes: 500, file: 8MiB}"
REST = "harvest: {files: 10, bytes: 1MiB, file: 1MiB, depth: 3}"
GPU = (
    "extends: default\nexperiment:\n  image: aisci-storage\n  gpus: {count: 1, memory: 2GiB}\n"
    f"  time: {{wall: 1m, cpu: 1m, grace: 1s}}\n  {SMALL}\n  {ROOM}\n  {REST}\n"
    "run: {memory: 4GiB, disk: 1GiB, keep_free: {disk: 1MiB, memory: 1MiB}}\n"
    "exceeds: {run.keep_free.disk: a small test machine, run.keep_free.memory: a small test machine}\n"
)
NO_WAY_OUT = (
    "extends: ci-cpu\nexceeds: {experiment.network: for this test alone}\nexperiment:\n"
    '  image: aisci-editor\n  network: {allow: ["api.example.org:443"]}\n'
)


def no_quota(*_: object) -> None:
    raise ControlUnavailable("the file system below keeps no quota", why="it was tried")


def no_limit(*_: object) -> tuple[tuple[str, str], ...]:
    return (("limit memory", "no limit"),)


def one_small_gpu(_: object) -> tuple[gpu.GpuDevice, ...]:
    return (gpu.GpuDevice("GPU-small", 1 << 30),)


MISSING = {
    "no disk quota": ("", (Volumes, "probe", no_quota), "keeps no quota"),
    "a limit that the kernel does not hold": (
        "",
        (gate_view, "kernel_limits_of", no_limit),
        "limit memory",
    ),
    "an image young enough": ("extends: ci-cpu\nlatex: {image_age: 1s}\n", None, "allows 1s"),
    "a gpu large enough": (GPU, (gpu.NvmlDriver, "devices", one_small_gpu), "the smallest GPU"),
    "a way to the proxy": (NO_WAY_OUT, None, "the policy's block experiment"),
}


@pytest.mark.engine
@pytest.mark.parametrize("missing", MISSING)
def test_what_only_a_container_shows_refuses_a_run_before_its_model_is_asked(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, changed, said = MISSING[missing]
    asked: list[Any] = []
    monkeypatch.setattr(SweepModel, "complete", lambda *ask: asked.append(ask))
    if changed:
        monkeypatch.setattr(*changed)
    wanted = rig.wanted(tmp_path / "results")
    if text:
        policy = tmp_path / "policy.yaml"
        policy.write_text(f"version: 1\nname: one\ndescription: For a test.\n{text}")
        wanted = replace(wanted, policy=str(policy))
    errors = (BadPolicy, ControlUnavailable, ImageStale, SandboxFailed)
    with pytest.raises(errors, match=said) as refused:
        start(wanted, VIEW)
    assert said in str(refused.value)
    assert asked == []
    assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == []
    assert left_of(tmp_path / "results") == []


@pytest.mark.engine
def test_an_image_that_is_too_old_at_a_resume_leaves_a_fork_as_the_way_on(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    head = "version: 1\nname: one\ndescription: For a test.\nextends: ci-cpu\n"
    policy.write_text(f"{head}experiment: {{image_age: 1s}}\n")
    setup = prepare(replace(rig.wanted(tmp_path), policy=str(policy))).setup
    engine = connect()
    try:
        with pytest.raises(ImageStale, match="days old") as refused:
            same_images(setup, engine)
    finally:
        engine.close()
    assert "experiment.image_age" in refused.value.where
    assert refused.value.todo == (
        "aisci images build --fresh aisci-sandbox:cpu; then `aisci resume --fork`, "
        "which continues with the new image"
    )


def left_of(results: Path) -> list[str]:
    """Containers and volumes of any run below ``results``, by the template's name in the label."""
    engine = connect()
    try:
        made = engine.api.containers(all=True, filters={"label": ["aisci.run"]})
        runs = [one["Labels"]["aisci.run"] for one in made]
    finally:
        engine.close()
    return [run for run in runs for folder in results.glob("*/*") if folder.name in run]


def test_each_kind_of_container_is_tried_under_its_own_limits(tmp_path: Path) -> None:
    """With the staged data for experiments alone."""
    setup = replace(
        prepare(rig.wanted(tmp_path)).setup,
        data=(DataPin(name="set", hash="0" * 64, folder=str(tmp_path)),),
    )
    scripted = ScriptedSandbox(BlobStore(tmp_path / "blobs"), lambda _: Ending())
    rehearse(setup, scripted)
    data = {job.kind: bool(job.data) for job in scripted.jobs}
    assert data == {"experiment": True, "latex": False, "editor": False}
    assert all(job.limits == setup.policy.limits(job.kind) for job in scripted.jobs)


def test_the_container_behind_a_rehearsed_one_serves_the_runs_first_paper(tmp_path: Path) -> None:
    setup = prepare(rig.wanted(tmp_path)).setup
    scripted = ScriptedSandbox(BlobStore(tmp_path / "blobs"), lambda _: Ending())
    for author, roles in (("builtin/sweep", ()), ("scripted/x", ()), ("builtin/sweep", ("a/b",))):
        own = tuple(ModelPin(name=name, author=name, role="writing") for name in roles)
        rehearse(replace(setup, author=author, roles=own), scripted)
        edges = SimpleNamespace(roles={name: SimpleNamespace(name=name) for name in roles})
        ports = cast("Ports", SimpleNamespace(scope="compile", edges=edges))
        paper = latex_job(author, setup.policy, Tree(), ports)
        *_, tried = (job for job in scripted.jobs if job.kind == "latex")
        shapes = [Shape.of(job, image="", data=(), duplex=False) for job in (tried, paper)]
        assert shapes[0] == shapes[1]


def test_an_editor_on_the_host_needs_no_container(tmp_path: Path) -> None:
    setup = prepare(rig.wanted(tmp_path)).setup
    on_host = setup.policy.whole.model_copy(
        update={"editor": setup.policy.whole.editor.model_copy(update={"process": True})}
    )
    setup = replace(setup, policy=replace(setup.policy, whole=on_host))
    scripted = ScriptedSandbox(BlobStore(tmp_path / "blobs"), lambda _: Ending())
    rehearse(setup, scripted)
    assert {job.kind for job in scripted.jobs} == {"experiment", "latex"}


def test_a_container_in_which_not_even_nothing_ends_well_is_refused(tmp_path: Path) -> None:
    """Limits too low for a start are the policy's, and named with its block."""
    setup = prepare(rig.wanted(tmp_path)).setup
    ending = Ending(exit_code=1, stderr="cannot start")
    scripted = ScriptedSandbox(BlobStore(tmp_path / "blobs"), lambda _: ending)
    with pytest.raises(ControlUnavailable, match="ended as: failed") as refused:
        rehearse(setup, scripted)
    assert "block experiment" in refused.value.where
    assert refused.value.why == "cannot start"


def test_a_run_that_is_resumed_or_forked_is_rehearsed_unless_nothing_is_left_to_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may have changed since; a run at its end asks nothing of it."""
    folder = tmp_path / "run"
    rig.run_scripted(folder, SweepModel(), Mode.RECORD)
    rehearsed: list[Any] = []

    def refused(setup: RunSpec, _: Any) -> None:
        rehearsed.append(setup.policy.name)
        raise ControlUnavailable("this machine gives less than it did")

    @contextmanager
    def edges(setup: RunSpec, *_: Any, **__: Any) -> Iterator[Any]:
        yield rig.scripted_edges(open_author(setup.model, environ={}))

    monkeypatch.setattr(runs, "connect", lambda: None)
    monkeypatch.setattr(runs, "same_images", lambda *_: None)
    monkeypatch.setattr(runs, "resolve_images", lambda *_: ())
    monkeypatch.setattr(runs, "real_edges", edges)
    monkeypatch.setattr(runs, "rehearse", refused)
    assert runs.resume(ResumeRequest(run=str(folder), results=tmp_path)).ok
    assert rehearsed == []
    with pytest.raises(UserError, match="nothing to fork"):
        runs.resume(ResumeRequest(run=str(folder), results=tmp_path, fork=True))
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(ControlUnavailable):
        runs.resume(ResumeRequest(run=str(folder), results=tmp_path))
    with pytest.raises(ControlUnavailable):
        runs.resume(ResumeRequest(run=str(folder), results=tmp_path, fork=True))
    assert len(rehearsed) == 2
    assert journal.read_bytes() == b"".join(lines[:-1])


def test_a_machine_too_small_for_what_is_left_of_a_run_refuses_its_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    rig.run_scripted(folder, SweepModel(), Mode.RECORD)
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    monkeypatch.setattr(runs, "connect", lambda: None)
    monkeypatch.setattr(
        policies, "measure_machine", lambda *_, **__: Machine(cpus=1, memory=1, disk=1)
    )
    with pytest.raises(BadPolicy, match="this machine has"):
        runs.resume(ResumeRequest(run=str(folder), results=tmp_path))


def test_a_scale_that_takes_longer_than_its_policy_allows_is_refused_with_one_that_fits() -> None:
    template = load_template("grokking", shipped_root())
    policy = load_policy("ci-cpu", shipped_root() / "policies")
    require_time(template, policy, "smoke")
    with pytest.raises(UserError, match="takes about 30 minutes; the policy allows 5") as caught:
        require_time(template, policy, "full")
    assert "--scale smoke or short" in caught.value.todo
    for key in ("idea.wall", "run.wall"):
        short = lowered(policy, {"idea.wall": "10s", key: "10s"})
        with pytest.raises(UserError) as caught:
            require_time(template, short, "smoke")
        assert "the policy allows" in caught.value.what


def test_each_template_fits_the_default_policy_at_each_scale() -> None:
    policy = load_policy("default", shipped_root() / "policies")
    for name in shipped_templates(shipped_root()):
        template = load_template(name, shipped_root())
        for scale in template.manifest.scales:
            require_time(template, policy, scale)
