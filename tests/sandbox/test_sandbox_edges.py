"""Small parts of the sandbox that need no running job: books, streams, packing, GPU requests."""

from __future__ import annotations

import io
import os
import resource
import struct
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.api.images import resolve_images
from orchestrator.core.errors import ControlUnavailable, SandboxFailed
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy, lowered
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.engine.objects import (
    create_container,
    make_volume,
    remove_container,
    remove_volume,
)
from orchestrator.sandbox.engine.stream import STDERR, STDOUT, LineBuffer, Stream
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job import spec as container
from orchestrator.sandbox.job.cgroup import Cgroup, CgroupSample, cgroup_folders, map_ids
from orchestrator.sandbox.job.packing import pack_tree
from orchestrator.sandbox.job.verify import read_back
from orchestrator.sandbox.resources import engine_socket
from tests.contracts.sandbox import LIMITS


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_a_host_without_a_file_left_does_not_take_a_running_container_for_gone(
    tmp_path: Path,
) -> None:
    """Its limits would be looked at no more; so the watch fails, and kills it."""
    gone = Cgroup(*cgroup_folders(["0::/system.slice/docker-abc.scope"], tmp_path))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            gone.sample()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert gone.sample() is None


def test_use_is_read_from_a_unified_cgroup(tmp_path: Path) -> None:
    write(
        tmp_path / "system.slice/docker-abc.scope",
        memory__peak="1048576\n",
        memory__current="4096\n",
        memory__events="low 0\noom 2\noom_kill 1\n",
        pids__current="7\n",
        pids__events="max 3\n",
        cpu__stat="usage_usec 2500000\nuser_usec 1\n",
    )
    meter = Cgroup(*cgroup_folders(["0::/system.slice/docker-abc.scope"], tmp_path))
    assert meter.version == 2
    assert meter.sample() == CgroupSample(memory=1 << 20, pids=7, cpu=2.5, oom=1, pids_denied=3)


def test_a_kernel_without_a_memory_peak_gives_what_is_used_now(tmp_path: Path) -> None:
    write(tmp_path / "x", memory__current="4096\n", memory__events="", pids__current="1\n",
          pids__events="", cpu__stat="usage_usec 0\n")  # fmt: skip
    sample = Cgroup(*cgroup_folders(["0::/x"], tmp_path)).sample()
    assert sample == CgroupSample(memory=4096, pids=1)


def test_use_is_read_from_separate_cgroups(tmp_path: Path) -> None:
    write(
        tmp_path / "memory/docker/abc",
        memory__max_usage_in_bytes="2048\n",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
    )
    write(tmp_path / "pids/docker/abc", pids__current="2\n", pids__events="max 0\n")
    write(tmp_path / "cpuacct/docker/abc", cpuacct__usage="1500000000\n")
    lines = ["9:name=systemd:/docker/abc", "8:pids:/docker/abc", "6:cpu,cpuacct:/docker/abc",
             "4:memory:/docker/abc"]  # fmt: skip
    meter = Cgroup(*cgroup_folders(lines, tmp_path))
    assert meter.version == 1
    assert meter.sample() == CgroupSample(memory=2048, pids=2, cpu=1.5, oom=4)


def test_a_rootless_engines_users_are_told_as_they_are_inside() -> None:
    rootless = "         0       1000          1\n         1     100000      65536\n"
    assert map_ids("165533 165533", rootless) == "65534 65534"
    assert map_ids("1000", rootless) == "0"
    assert map_ids("0", rootless) == "host:0"
    assert map_ids("65534 65534", "0 0 4294967295\n") == "65534 65534"
    assert map_ids("", rootless) == ""


def test_a_cgroup_that_is_gone_gives_no_sample(tmp_path: Path) -> None:
    assert Cgroup(2, {"": tmp_path / "gone"}).sample() is None


def test_a_container_that_is_not_this_machines_is_refused() -> None:
    with pytest.raises(ControlUnavailable, match="monitor its containers"):
        Cgroup.of(os.getpid(), "0123456789abcdef")


def test_an_engine_over_tcp_may_be_elsewhere_and_is_refused() -> None:
    class Remote:
        api = object()

    with pytest.raises(ControlUnavailable, match="unix socket"):
        engine_socket(cast("Engine", Remote()))


def frames(*parts: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack(">BxxxL", which, len(data)) + data for which, data in parts)


def stream_of(data: bytes) -> Stream:
    """A stream whose engine has sent ``data`` and hung up."""
    import socket  # noqa: PLC0415  # the one test part that opens sockets

    ours, theirs = socket.socketpair()

    class Api:
        def attach_socket(self, *_: Any) -> socket.socket:
            return ours

    class Fake:
        api = Api()

    theirs.sendall(data)
    theirs.close()
    return Stream(cast("Engine", Fake()), "x")


def test_output_is_told_apart_and_its_end_is_seen() -> None:
    stream = stream_of(frames((STDOUT, b"out"), (STDERR, b"err"), (STDOUT, b"more")))
    assert stream.read(1.0) == [(1, b"out"), (2, b"err"), (1, b"more")]
    assert stream.read(1.0) == []
    assert stream.ended
    stream.close()


def test_many_small_writes_are_joined() -> None:
    stream = stream_of(frames(*[(STDOUT, b"y\n")] * 6000))
    got = b""
    reads = 0
    while pieces := stream.read(1.0):
        reads += len(pieces)
        got += b"".join(data for _, data in pieces)
    assert got == b"y\n" * 6000
    assert reads < 10
    stream.close()


def test_a_frame_that_claims_gigabytes_is_handed_on_in_pieces() -> None:
    stream = stream_of(struct.pack(">BxxxL", STDOUT, 0xFFFFFFFF) + b"x" * 100_000)
    got = b""
    while pieces := stream.read(1.0):
        assert sum(len(data) for _, data in pieces) <= 1 << 16
        got += b"".join(data for _, data in pieces)
    assert len(got) == 100_000
    stream.close()


def test_a_stream_that_is_neither_out_nor_err_is_no_engines() -> None:
    stream = stream_of(frames((7, b"x")))
    with pytest.raises(SandboxFailed):
        stream.read(1.0)
    stream.close()


def test_lines_are_cut_wherever_the_pieces_end() -> None:
    lines = LineBuffer()
    for piece in (b"a", b"b\nc", b"\n\n", b"rest"):
        lines.add(piece)
    lines.end()
    assert [lines.take(0.1) for _ in range(4)] == [b"ab", b"c", b"", None]
    assert lines.take(0.1) is None


def test_a_tree_is_packed_plainly_with_its_owner_and_one_time(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    tree = Tree.of({"b/c.py": blobs.put(b"2"), "a.py": blobs.put(b"1")})
    spools = [io.BytesIO(), io.BytesIO()]
    for spool in spools:
        pack_tree(tree, blobs, (1000, 1001), spool)
    assert spools[0].getvalue() == spools[1].getvalue()
    with tarfile.open(fileobj=spools[0], mode="r:") as tar:
        members = tar.getmembers()
        assert [m.name for m in members] == ["a.py", "b", "b/c.py"]
        assert {(m.uid, m.gid, m.mtime) for m in members} == {(1000, 1001, 946_684_800)}
        assert [m.isdir() for m in members] == [False, True, False]


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a\nb", ".git/config"])
def test_a_path_that_may_name_no_file_is_not_packed(tmp_path: Path, path: str) -> None:
    blobs = BlobStore(tmp_path)
    with pytest.raises(SandboxFailed):
        pack_tree(Tree(((path, blobs.put(b"")),)), blobs, (1, 1), io.BytesIO())


def job(**changes: Any) -> Job:
    made = Job(scope="s", kind="experiment", argv=("true",), files=Tree(), limits=LIMITS,
               harvest=())  # fmt: skip
    return replace(made, **changes)


def test_a_jobs_environment_is_an_allow_list_and_a_cpu_job_is_lent_no_gpu() -> None:
    limits = replace(LIMITS, cpus=2.5, env=(("A", "1"),))
    env = container.environment(job(limits=limits, env=(("A", "2"),)))
    assert env == {
        "A": "2",
        "HOME": "/tmp",
        "NVIDIA_VISIBLE_DEVICES": "void",
        "OMP_NUM_THREADS": "3",
        "PYTHONHASHSEED": "0",
    }


def test_a_gpu_job_sees_the_lent_gpus_by_uuid_and_may_compute_only() -> None:
    env = container.environment(job(limits=replace(LIMITS, gpus=2)), ("GPU-a", "GPU-b"))
    assert env["NVIDIA_VISIBLE_DEVICES"] == "GPU-a,GPU-b"
    assert env["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"


@pytest.mark.parametrize("name", ["LD_PRELOAD", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_REQUIRE_CUDA"])
@pytest.mark.parametrize("place", ["policy", "stage"])
def test_a_variable_that_the_hosts_side_obeys_is_refused(name: str, place: str) -> None:
    env = ((name, "all"),)
    asked = job(limits=replace(LIMITS, env=env)) if place == "policy" else job(env=env)
    with pytest.raises(ControlUnavailable, match=name):
        container.environment(asked)


@pytest.mark.engine
def test_lent_gpus_are_asked_for_by_uuid_and_read_back() -> None:
    """Only created: starting it needs the GPU."""
    engine = connect()
    name = "aisci-test-gpu"
    make_volume(engine, name, {})
    body = container.create_request(
        job(limits=replace(LIMITS, gpus=2)),
        image=resolve_image(engine, "aisci-storage"),
        volume=name,
        labels={},
        duplex=False,
        gpus=("GPU-a", "GPU-b"),
    )
    try:
        made = create_container(engine, body, name)
        back = read_back(engine, made, body)
        asked, inspected = back.asked, back.inspected
        assert "GPU-a, GPU-b" in dict(asked)["HostConfig.DeviceRequests"].replace("'", "")
        assert dict(asked).items() <= dict(inspected).items()
    finally:
        remove_container(engine, name)
        remove_volume(engine, name)
        engine.close()


@pytest.mark.engine
def test_what_the_engine_cannot_hold_is_known_before_a_run_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = connect()
    policy = lowered(
        load_policy("ci-cpu", shipped_root() / "policies"), {"experiment.runtime": "runsc"}
    )
    bare = engine.info()
    bare["Runtimes"] = {"runc": bare["Runtimes"]["runc"]}
    monkeypatch.setattr(engine.api, "info", lambda: bare)
    try:
        with pytest.raises(ControlUnavailable, match="runsc"):
            resolve_images(policy, engine)
    finally:
        engine.close()


def test_an_engine_elsewhere_is_refused_before_a_run_begins() -> None:
    class Remote:
        api = object()

    policy = load_policy("ci-cpu", shipped_root() / "policies")
    with pytest.raises(ControlUnavailable, match="unix socket"):
        resolve_images(policy, cast("Engine", Remote()))
