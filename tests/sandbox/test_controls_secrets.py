"""The orchestrator's keys are nowhere that a container, the engine or a record could tell them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.literature.sources import Sources
from orchestrator.models.scripted import ScriptedModel
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal
from orchestrator.record.ports import Edges, Ports
from orchestrator.sandbox.images.images import resolve_image
from tests.support.controls_rig import bare, held, job, last_line, limits_of
from tests.support.journal_rig import idea_started
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine

# In two pieces, so that the program that looks for it does not hold it.
KEY = ("sk-ant-api03-", "aiscitestaiscitestaiscitest")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("secrets")
    with docker_bench(folder, f"secrets-{folder}") as bench:
        yield bench


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The orchestrator is this process: it holds keys as people export them."""
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "".join(KEY))


def test_neither_the_engine_nor_the_record_knows_a_key(bench: DockerBench, tmp_path: Path) -> None:
    """What the engine tells of every container of a running job, and the journal of its end."""
    waits, secret = job(bench, "input()", limits_of("experiment")), "".join(KEY)
    with bench.sandbox.open(waits):
        filters = {"label": [f"aisci.run={bench.run_id}"]}
        listed = bench.engine.api.containers(all=True, filters=filters)
        told = json.dumps([bench.engine.api.inspect_container(item["Id"]) for item in listed])
        told += json.dumps([listed, bench.engine.api.volumes(filters=filters)])
    assert len(listed) >= 2
    assert f"{bench.sandbox.pool.resources.prefix}-{waits.id}" in told
    assert secret not in told
    journal = Journal(tmp_path / "journal.jsonl", bench.blobs)
    journal.append(idea_started())
    editor = ScriptedEditor(bench.blobs, lambda _request, _model: {})
    edges = Edges(ScriptedModel([]), editor, bench.sandbox, Sources())
    Ports(edges, journal, bench.blobs, JournalBudget(), "idea/x").run(
        job(bench, "print(dict(os.environ))", limits_of("experiment"))
    )
    text = journal.path.read_text()
    assert "PYTHONHASHSEED" in text, "the environment was printed and recorded"
    assert secret not in text


@pytest.mark.parametrize(
    "name", ["aisci-sandbox:cpu", "aisci-latex", "aisci-editor", "aisci-storage"]
)
def test_no_image_was_built_with_a_secret(bench: DockerBench, name: str) -> None:
    """Neither its settings nor any step of its history hold a credential."""
    image = resolve_image(bench.engine, name)
    built = bench.engine.images.get(image)
    history: list[object] = built.history()
    told = json.dumps([history, built.attrs["Config"]])
    assert len(history) > 2
    secrets = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD)=\S|://[^/\s\"]+:[^/\s\"]+@|sk-[a-z]")
    assert secrets.findall(told) == []
    assert secrets.search("OPENAI_API_KEY=x")
    assert secrets.search("https://me:word@index")


def test_a_cpu_job_is_lent_no_gpu_whatever_its_image_says(bench: DockerBench) -> None:
    """Some engines hand out every GPU for an image's own NVIDIA_VISIBLE_DEVICES=all."""
    made = bench.engine.api.create_container(resolve_image(bench.engine, "aisci-storage"))["Id"]
    tag = "aisci-test-all-gpus"
    changes = ["ENV NVIDIA_VISIBLE_DEVICES=all", "ENV NVIDIA_DRIVER_CAPABILITIES=all"]
    bench.engine.api.commit(made, repository=tag, changes=changes)
    bench.engine.api.remove_container(made)
    looks = """
        names = [line for line in open("/proc/self/environ").read().split("\\0") if "VISIBLE" in line]
        devices = [name for name in os.listdir("/dev") if "nvidia" in name or name == "dri"]
        print(json.dumps({"environment": names, "devices": devices}))
        """
    try:
        image = str(bench.engine.images.get(tag).id)
        sandbox = bench.with_images(lambda _: image)
        result = sandbox.run(job(bench, looks, limits_of("experiment")))
        assert result.ok, result.stderr
        assert last_line(result) == {
            "environment": ["NVIDIA_VISIBLE_DEVICES=void"],
            "devices": [],
        }
        inspected = dict(result.attestation.inspected)
        assert inspected["HostConfig.DeviceRequests"] == inspected["HostConfig.Devices"] == ""
        seen = bare(bench.engine, image, looks, network_mode="none")
        assert seen["environment"] == ["NVIDIA_VISIBLE_DEVICES=all"]
    finally:
        bench.engine.images.remove(tag)


def test_a_policys_variable_reaches_the_job_and_nothing_else_does(bench: DockerBench) -> None:
    given = replace(limits_of("experiment"), env=(("GIVEN", "by the policy"),))
    shows = "print(json.dumps({name: os.environ.get(name) for name in ('GIVEN', 'USER', 'SSH_AUTH_SOCK', 'HF_TOKEN')}))"
    assert held(bench, shows, given) == {
        "GIVEN": "by the policy", "USER": None, "SSH_AUTH_SOCK": None, "HF_TOKEN": None,
    }  # fmt: skip
