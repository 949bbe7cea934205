"""Real containers that are driven to each of their limits: an audit has nothing against them.

A limit that holds must not be told as one that was passed, under either runtime.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.audit.behaviour import kernel_findings, usage_findings, verdict_findings
from orchestrator.audit.calls import AuditedContainer
from orchestrator.audit.settings import setting_findings
from orchestrator.core.job import JobResult, Verdict
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.sandbox.engine.client import connect
from tests.audit.test_audit_settings import boxed
from tests.contracts.sandbox import Scenario, job_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine

MIB = 1 << 20
FORKS = """
import os, time
try:
    while True:
        if not os.fork():
            time.sleep(60)
except OSError:
    time.sleep(3)  # until the host has looked
    raise
"""
DRIVEN: dict[str, tuple[str, Verdict]] = {
    "memory": ("x = []\nwhile True: x.append(bytearray(1 << 20))", Verdict.OUT_OF_MEMORY),
    "shared memory and files": (
        "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(bytes(1 << 20)); f.flush()",
        Verdict.FAILED,
    ),
    "processes": (
        FORKS,
        Verdict.OUT_OF_PIDS,
    ),
    "bytes on disk": (
        "n = 0\nwhile True:\n    n += 1; open(f'f{n}', 'wb').write(bytes(1 << 20))",
        Verdict.OUT_OF_STORAGE,
    ),
    "files on disk": ("n = 0\nwhile True:\n    n += 1; open(f'f{n}', 'w')", Verdict.OUT_OF_STORAGE),
    "output": ("while True: print('y' * 1000)", Verdict.LOG_FLOOD),
    "time": ("import time\ntime.sleep(60)", Verdict.TIMED_OUT),
    "time, TERM ignored": (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
        Verdict.TIMED_OUT,
    ),
    "CPU time": ("while True: pass", Verdict.OUT_OF_CPU_TIME),
    "nothing": ("raise SystemExit(3)", Verdict.FAILED),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("audit")
    with docker_bench(folder, f"audit-{folder}") as made:
        yield made


def has_gvisor() -> bool:
    engine = connect()
    try:
        return "runsc" in engine.api.info()["Runtimes"]
    finally:
        engine.close()


def driven(bench: DockerBench, what: str, runtime: str) -> tuple[AuditedContainer, JobResult]:
    scenario = Scenario(DRIVEN[what][0])
    wall = 4.0 if what.startswith("time") else 60.0
    cpu_time = 2.0 if what == "CPU time" else 60.0
    job = job_of(
        bench, scenario, scope=f"run/audit/{runtime}/{what}", runtime=runtime, pids=128,
        memory=192 * MIB, shm=16 * MIB, workspace=16 * MIB, file=8 * MIB, inodes=500, logs=MIB,
        grace=1.0, wall=wall, cpu_time=cpu_time,
    )  # fmt: skip
    result = bench.run(job, scenario)
    return replace(boxed(job, result.attestation), result=result), result


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
@pytest.mark.parametrize("what", DRIVEN)
def test_a_container_at_its_limit_is_within_its_limit(
    what: str, runtime: str, bench: DockerBench
) -> None:
    if runtime == "runsc" and not has_gvisor():
        pytest.skip("needs an engine with gVisor: make gvisor")
    box, result = driven(bench, what, runtime)
    assert box.attestation
    every = (
        setting_findings(box, shipped_profile(), {}),
        kernel_findings(box),
        usage_findings(box),
        verdict_findings(box),
    )
    found = [one.what for each in every for one in each if one.level == "wrong"]
    assert found == [], result
    if runtime == "runc":
        assert box.attestation.verdict is DRIVEN[what][1], result


ASKS = """
import urllib.request
for host in ("no-such-host.invalid", "evil.example.org"):
    try:
        urllib.request.urlopen(f"https://{host}/", timeout=30)
    except OSError as error:
        print(error)
"""


def test_a_container_under_an_allow_list_is_as_its_policy_says(bench: DockerBench) -> None:
    scenario = Scenario(ASKS)
    job = job_of(
        bench, scenario, scope="run/audit/out", image="aisci-sandbox:cpu", pids=128, memory=192 * MIB,
        network=("no-such-host.invalid:443",),
    )  # fmt: skip
    result = bench.run(job, scenario)
    box = replace(boxed(job, result.attestation), result=result)
    every = (
        setting_findings(box, shipped_profile(), {}),
        kernel_findings(box),
        usage_findings(box),
        verdict_findings(box),
    )
    assert [one.what for each in every for one in each if one.level == "wrong"] == [], result
    assert [one.host for one in result.attestation.egress] == [
        "no-such-host.invalid:443",
        "evil.example.org:443",
    ]
    closed = replace(box, limits=replace(box.limits, network=()))
    assert any(
        "HostConfig.Mounts" in one.what for one in setting_findings(closed, shipped_profile(), {})
    )
