"""What the kernel shows of a started container to root, and to another user of the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from orchestrator.core.job import UNREAD
from orchestrator.record.attestation import SettingPairs
from orchestrator.sandbox.engine.client import Engine
from tests.contracts.sandbox import Scenario, job_of
from tests.support.places import ROOT
from tests.support.sandbox_rig import DockerBench, docker_bench

SPACES = {f"own {name} namespace" for name in ("net", "pid", "ipc", "mnt", "uts")}
AS_ROOT = SPACES | {"resolv.conf"}
READS = """
import codecs, json, os, sys
from orchestrator.sandbox.engine.resolver import resolver_of
from orchestrator.sandbox.job.cgroup import Cgroup, process_status
from orchestrator.sandbox.job.kernel_limits import kernel_limits_of
from orchestrator.sandbox.job.spec import WORKDIR
from orchestrator.sandbox.job.verify import workspace_of
codecs.lookup("unicode_escape")  # loaded now: this Python may lie where only root may read
pid, container, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(12345), os.setuid(12345)
seen = process_status(pid) + resolver_of(path) + workspace_of(pid, WORKDIR)
print(json.dumps(seen + kernel_limits_of(pid, Cgroup.of(pid, container))))
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("read")
    with docker_bench(folder, f"read-{folder}") as made:
        yield made


def another_user_reads(engine: Engine, container: str) -> SettingPairs:
    """The facts of a running container, by a user who is not root."""
    have = engine.api.inspect_container(container)
    words = [str(have["State"]["Pid"]), have["Id"], have["ResolvConfPath"]]
    argv = [sys.executable, "-c", READS, *words]
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return tuple((name, value) for name, value in json.loads(said.stdout))


@pytest.mark.engine
@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_another_user_reads_what_root_reads_but_for_what_is_said_not_to_be_read(
    bench: DockerBench, runtime: str
) -> None:
    if runtime not in bench.engine.info()["Runtimes"]:
        pytest.skip("needs an engine with gVisor: make gvisor")
    scenario = Scenario("input()")
    job = job_of(bench, scenario, scope=f"run/read/{runtime}", runtime=runtime, pids=128)
    with bench.sandbox.open(job) as session:
        name = f"{bench.sandbox.pool.resources.prefix}-{job.id}-job"
        by_user = dict(another_user_reads(bench.engine, name))
        session.send(b"end\n")
        session.wait()
        told = session.finish().attestation
    seen = {name: value for name, value in told.seen if not name.startswith("inside ")}
    if runtime == "runsc":
        del by_user["mount of the workspace"]  # gVisor's own process has none
    assert {name for name, value in by_user.items() if value == UNREAD} == AS_ROOT
    assert by_user.keys() == seen.keys()
    assert told.unread == (() if os.geteuid() == 0 else tuple(n for n in seen if n in AS_ROOT))
    assert {name: seen[name] for name in by_user.keys() - AS_ROOT} == {
        name: by_user[name] for name in by_user.keys() - AS_ROOT
    }
