"""The attempts that the controls' own tests make under runc, made again under gVisor.

``test_gvisor.py`` has the sandbox's contract there and each named exception; this is what breaks
a control: rights, every writable place, the network, keys, data, CPUs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.job import ContainerKind, Limits
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.job.gvisor import lacking
from orchestrator.sandbox.job.spec import WORKDIR
from tests.contracts.sandbox import MIB
from tests.sandbox import test_controls_network as network
from tests.sandbox import test_controls_rights as rights
from tests.sandbox import test_controls_secrets as secrets
from tests.sandbox import test_controls_storage as storage
from tests.support.controls_rig import held, job, last_line, limits_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine

KINDS: tuple[ContainerKind, ...] = ("experiment", "latex", "editor")


def under_gvisor(kind: ContainerKind = "experiment", **changes: Any) -> Limits:
    """As in the other tests, with room for gVisor's own threads and memory."""
    limits = limits_of(kind, **changes)
    return replace(limits, runtime="runsc", pids=limits.pids + 128, memory=limits.memory + 64 * MIB)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    engine = connect()
    why = lacking(engine.info())
    engine.close()
    if why:
        pytest.skip(f"no gVisor: {why}")
    folder = tmp_path_factory.mktemp("controls-gvisor")
    with docker_bench(folder, f"controls-gvisor-{folder}") as bench:
        yield bench
        assert bench.left_behind() == ()


@pytest.mark.parametrize("kind", KINDS)
def test_no_privilege_is_to_be_had(bench: DockerBench, kind: ContainerKind) -> None:
    seen = held(bench, rights.ATTEMPTS, under_gvisor(kind), kind=kind)
    had = {name for name, words in seen.items() if words not in rights.STOPPED}
    assert had == {"nice", "spare itself from the memory killer"}, "numbers that do nothing there"
    assert len(seen) == 26


def test_a_program_with_the_set_user_id_bit_runs_as_its_caller(bench: DockerBench) -> None:
    with rights.climbing(bench):
        assert held(bench, rights.CLIMB, under_gvisor()) == {"as": "65534"}


@pytest.mark.parametrize("kind", KINDS)
def test_twice_the_quota_goes_into_no_place_at_all(bench: DockerBench, kind: ContainerKind) -> None:
    limits, before = under_gvisor(kind), shutil.disk_usage("/").free
    seen = held(bench, storage.EVERYWHERE, limits, kind=kind)
    took = {place: wrote for place, (wrote, _) in seen.items() if wrote}
    most = {WORKDIR: limits.workspace, "/tmp": limits.tmp, "/dev/shm": limits.shm}
    assert took.keys() == most.keys(), "there is no other place that takes a byte"
    assert {place: wrote for place, wrote in took.items() if wrote > most[place]} == {}
    assert before - shutil.disk_usage("/").free < 512 * MIB


def test_nothing_of_the_host_or_the_world_is_reached(bench: DockerBench) -> None:
    with network.listening() as host:
        program = host.program() + network.WORLD + network.PRINT
        seen = held(bench, program, under_gvisor())
    assert host.came == []
    assert seen.pop("interfaces") == ["lo"]
    assert seen.pop("engine's socket") == []
    assert seen.pop("host udp 127.0.0.1") in {"done", "Connection refused"}
    assert {name: words for name, words in seen.items() if words == "done"} == {}
    assert len(seen) >= 14


def test_no_file_process_or_environment_inside_holds_a_key(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "".join(secrets.KEY))
    seen = held(bench, secrets.LOOK, under_gvisor())
    assert seen["found"] == []
    assert seen["looked"] > 50


def test_staged_data_can_be_read_and_not_changed(bench: DockerBench, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("42")
    (tmp_path / "numbers.txt").chmod(0o666)
    tmp_path.chmod(0o777)
    program = """
        for place in ("/data/mnist", "../../../data/mnist"):
            attempt("read " + place, lambda: open(place + "/numbers.txt").read())
            attempt("new " + place, lambda: open(place + "/x", "w").close())
            attempt("old " + place, lambda: open(place + "/numbers.txt", "a").close())
            attempt("gone " + place, lambda: os.unlink(place + "/numbers.txt"))
        print(json.dumps(seen))
        """
    result = bench.sandbox.run(
        replace(job(bench, program, under_gvisor()), data=(("mnist", str(tmp_path)),))
    )
    seen = last_line(result)
    assert {seen.pop(name) for name in tuple(seen) if name.startswith("read")} == {"42"}
    assert set(seen.values()) == {"Read-only file system"}
    assert len(seen) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.txt"]


def test_no_more_of_the_cpus_is_had_than_the_policy_says(bench: DockerBench) -> None:
    """Two processes that want a CPU each have half a one between them, by the host's own count."""
    burns = """
        began = time.monotonic()
        os.fork()
        while time.monotonic() < began + 4: pass
        """
    result = bench.sandbox.run(job(bench, burns, under_gvisor(cpus=0.5)))
    peaks = result.attestation.peaks
    assert result.ok
    assert peaks.wall >= 4.0
    assert peaks.cpu_time <= 0.75 * peaks.wall
