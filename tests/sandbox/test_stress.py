"""stress-ng in the sandbox under the shipped policy ``ci-cpu``: limits, host, neighbour, verdict.

Debian's stress-ng is the nearest thing to a program that wants all that a machine has. Each
stressor here asks for more than its limit, and is seen to have run into it.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job, JobResult, Limits, Verdict
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy, lowered
from orchestrator.sandbox.sandbox import DockerSandbox
from tests.research.test_incidents import outlived
from tests.support import stress_rig as rig
from tests.support.bench import record
from tests.support.leftovers import loops_settled, settled
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = [pytest.mark.engine, pytest.mark.serial]

SAMPLE = 2  # stressors in `make test`
MIB, GIB = 1 << 20, 1 << 30
# What others on the machine may take meanwhile; below what each stressor asks for past its limit.
DISK_SLACK, MEMORY_SLACK, PROCESS_SLACK = 2 * GIB, 2 * GIB, 4000
HOST_KILLS = {Verdict.TIMED_OUT, Verdict.OUT_OF_CPU_TIME, Verdict.LOG_FLOOD}
# A busy machine may not get a stressor to its limit in its time: then it has twice as long, and so on.
TIMES_AS_LONG = (1, 2, 4, 8)


@dataclass(frozen=True)
class Stressor:
    """What stress-ng is told, and what is to be seen.

    It ends by itself after ``seconds``; or goes on past the job's wall clock of that length
    (``past_wall``), begun anew whenever it has ended. ``fails`` makes the job end with exit code 3,
    for stress-ng itself shrugs off most limits. ``less`` lowers the policy's block ``experiment``.
    """

    name: str
    options: str
    verdict: Verdict = Verdict.FINISHED
    hit: frozenset[str] = frozenset()
    says: str = ""
    fails: bool = False
    fills: str = ""  # a limit that no verdict speaks of, and that is reached all the same
    past_wall: bool = False
    seconds: int = 6
    less: Mapping[str, str] = field(default_factory=dict)

    def argv(self, times: int) -> tuple[str, ...]:
        program = f"stress-ng {self.options} --timeout {self.seconds * times}s"
        if self.past_wall:
            # Some stressors signal all of their process group, to which the shell belongs.
            return ("sh", "-c", f"trap : ALRM HUP INT USR1 USR2; while :; do {program}; done")
        return ("sh", "-c", f"{program}; exit 3") if self.fails else tuple(program.split())

    def limits(self, image: str, times: int) -> Limits:
        """The experiments' block of ``ci-cpu``, lowered, in the image with stress-ng."""
        less = {"time.grace": "2s"} | dict(self.less)
        if self.past_wall:
            less |= {
                "time.wall": f"{self.seconds * times}s",
                "time.cpu": f"{2 * self.seconds * times}s",
            }
        return limits_of(image, less)


PIDS, MEMORY, INODES, BYTES = (
    frozenset({name}) for name in ("pids", "memory", "storage: inodes", "storage: bytes")
)
STRESSORS = (
    Stressor("fork", "--fork 4 --fork-max 16000 --vfork 2 --vfork-max 4000", hit=PIDS),
    Stressor("threads", "--pthread 2 --pthread-max 4000", hit=PIDS),
    Stressor("zombies", "--zombie 2 --zombie-max 4000", Verdict.OUT_OF_PIDS, PIDS, fails=True),
    Stressor("hdd", "--hdd 24 --hdd-bytes 4800m", hit=BYTES),
    Stressor("copies", "--copy-file 3 --copy-file-bytes 200m", Verdict.OUT_OF_STORAGE, BYTES, fails=True),
    Stressor("one file", "--hdd 1 --hdd-bytes 1g", Verdict.FAILED, says="File too large",
             fails=True),
    Stressor("inode", "--dentry 2 --dentries 400000", Verdict.OUT_OF_STORAGE, INODES,
             fails=True, seconds=12),
    Stressor("vm", "--vm 2 --vm-bytes 12g --vm-keep", hit=MEMORY),
    Stressor("heap", "--bigheap 2 --bigheap-growth 64m", Verdict.OUT_OF_MEMORY, MEMORY,
             fails=True),
    Stressor("shm", "--shm 2 --shm-bytes 64m --shm-objs 512", hit=MEMORY),
    Stressor("dev-shm", "--dev-shm 2", fills="shm"),
    Stressor("sem", "--sem 200", hit=PIDS),
    Stressor("sem-sysv", "--sem-sysv 2", Verdict.FAILED, says="Operation not permitted"),
    Stressor("mq", "--mq 2", Verdict.FAILED, says="mq_open failed, errno=1"),
    Stressor("timer", "--timer 4 --timer-freq 1000000", Verdict.OUT_OF_CPU_TIME,
             seconds=300, less={"time.cpu": "6s"}),
    Stressor("sock", "--sock 150", hit=PIDS),
    Stressor("sockpair", "--sockpair 64", hit=MEMORY,
             less={"resources.memory": "1GiB"}),
    Stressor("sockfd", "--sockfd 4", fills="open_files"),
    Stressor("udp", "--udp 8", Verdict.TIMED_OUT, past_wall=True,
             seconds=10),
    Stressor("os-abuse", "--class os --all 1 --exclude sem-sysv", Verdict.TIMED_OUT, PIDS,
             past_wall=True, seconds=20),
)  # fmt: skip


def limits_of(image: str, less: Mapping[str, str]) -> Limits:
    policy = load_policy("ci-cpu", shipped_root() / "policies")
    changes = {f"experiment.{key}": value for key, value in less.items()}
    return replace(lowered(policy, changes).limits("experiment"), image=image)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("stress")
    with docker_bench(folder, f"stress-{folder}") as bench:
        yield bench


@pytest.fixture(scope="module")
def image(bench: DockerBench) -> str:
    return rig.image(bench.engine)


def stressed(bench: DockerBench, image: str, stressor: Stressor) -> dict[str, Any]:
    """Let it loose until it is seen to bite; the row for the bench."""
    tried = []
    for times in TIMES_AS_LONG:
        result, told = beside_a_neighbour(bench, image, stressor, times)
        said = result.stdout + result.stderr
        full = told["peaks"].get(stressor.fills, 1) >= 0.9 * told["limits"].get(stressor.fills, 0)
        if full and stressor.hit <= set(result.hit) and stressor.says in said:
            check_verdict(stressor, result)
            return told
        tried.append((told, said))
    raise AssertionError(f"{stressor} does not bite: {tried}")


def check_verdict(stressor: Stressor, result: JobResult) -> None:
    """The one that is expected, by the design's order of what was hit."""
    assert result.verdict is stressor.verdict, (result.exit_code, result.hit, result.stderr)
    if result.verdict not in HOST_KILLS:
        assert result.verdict is by_the_order(result.exit_code, result.hit)
    assert (result.attestation.verdict, result.attestation.hit) == (result.verdict, result.hit)


def beside_a_neighbour(
    bench: DockerBench, image: str, stressor: Stressor, times: int
) -> tuple[JobResult, dict[str, Any]]:
    """One job; what was seen meanwhile and afterwards is held against the limits."""
    limits = stressor.limits(image, times)
    job = Job(
        scope=f"stress/{stressor.name}/{times}", kind="experiment", argv=stressor.argv(times),
        files=Tree(), limits=limits, harvest=(),
    )  # fmt: skip
    before, host = (rig.Host(bench.engine, bench.depot.prefix) for _ in range(2))
    before.look()
    sandbox = DockerSandbox(bench.sandbox.pool, bench.blobs, host.told)
    with rig.neighbour(bench, limits_of(image, {})) as beside, rig.looked_at(host):
        first = beside.beats
        result = sandbox.run(job)
        beats = beside.beats - first
        calm = beside.finish()
    check_limits(limits, result, host)
    check_host(before, host, limits)
    assert (calm.verdict, calm.exit_code, calm.hit) == (Verdict.FINISHED, 0, ()), calm.stderr
    assert first > 0
    assert beats >= result.attestation.peaks.wall // 10, "a beat a second, and the machine is busy"
    check_nothing_left(bench, before, host, result)
    return result, row(limits, result, before, host, beats)


def by_the_order(exit_code: int | None, hit: tuple[str, ...]) -> Verdict:
    """Of a job that the host did not kill."""
    if exit_code == 0:
        return Verdict.FINISHED
    kinds = [name.partition(":")[0] for name in hit]
    order = {
        "memory": Verdict.OUT_OF_MEMORY,
        "storage": Verdict.OUT_OF_STORAGE,
        "pids": Verdict.OUT_OF_PIDS,
    }
    return next((verdict for kind, verdict in order.items() if kind in kinds), Verdict.FAILED)


def check_limits(limits: Limits, result: JobResult, host: rig.Host) -> None:
    """What the sandbox and we ourselves read in the kernel's books of the container."""
    peaks = result.attestation.peaks
    # An allocation that must not fail is let through, and charged: 2.8 MiB above 3 GiB were seen.
    assert max(peaks.memory, host.job.memory) <= limits.memory * 1.01
    assert max(peaks.pids, host.job.pids) <= limits.pids
    assert peaks.disk <= limits.workspace
    assert peaks.inodes <= 1.01 * limits.inodes  # in whole blocks of the file system's table
    assert host.shm <= limits.shm
    assert host.files <= limits.open_files
    assert peaks.log_bytes <= limits.logs


def check_host(before: rig.Host, during: rig.Host, limits: Limits) -> None:
    """Two jobs take no more than two jobs may, whatever the stressor asked for."""
    assert before.free_disk - during.free_disk < 2 * limits.workspace + DISK_SLACK
    assert before.free_memory - during.free_memory < 2 * limits.memory + MEMORY_SLACK
    assert during.processes - before.processes < 2 * limits.pids + PROCESS_SLACK


def check_nothing_left(
    bench: DockerBench, before: rig.Host, host: rig.Host, result: JobResult
) -> None:
    """No container, volume, loop device or process, and the machine as empty as it was."""
    assert bench.left_behind() == ()
    assert host.loops, "the volumes' devices were seen"
    assert not host.loops & set(loops_settled(()))
    assert outlived({result.attestation.container}) == []

    def taken() -> list[str]:
        disk = before.free_disk - shutil.disk_usage("/").free > DISK_SLACK
        memory = before.free_memory - rig.available() > MEMORY_SLACK
        return ["disk"] * disk + ["memory"] * memory

    assert settled(taken, 30) == ()


def row(
    limits: Limits, result: JobResult, before: rig.Host, host: rig.Host, beats: int
) -> dict[str, Any]:
    """Sizes in MiB, times in seconds."""
    peaks = result.attestation.peaks
    return {
        "verdict": str(result.verdict),
        "exit_code": result.exit_code,
        "hit": list(result.hit),
        "peaks": {
            "memory": peaks.memory // MIB,
            "pids": peaks.pids,
            "workspace": peaks.disk // MIB,
            "inodes": peaks.inodes,
            "shm": host.shm // MIB,
            "open_files": host.files,
            "cpu_time": round(peaks.cpu_time, 1),
            "wall": round(peaks.wall, 1),
        },
        "limits": {
            "memory": limits.memory // MIB,
            "pids": limits.pids,
            "workspace": limits.workspace // MIB,
            "inodes": limits.inodes,
            "shm": limits.shm // MIB,
            "open_files": limits.open_files,
            "cpu_time": limits.cpu_time,
            "wall": limits.wall,
        },
        "taken_of_the_host": {
            "disk": (before.free_disk - host.free_disk) // MIB,
            "memory": (before.free_memory - host.free_memory) // MIB,
            "processes": host.processes - before.processes,
        },
        "neighbours_beats": beats,
    }


def test_a_sampled_stressor_stays_within_its_limits_and_its_neighbour_works_on(
    bench: DockerBench, image: str, sample: random.Random
) -> None:
    for stressor in sample.sample(STRESSORS, SAMPLE):
        stressed(bench, image, stressor)


@pytest.mark.campaign
def test_every_stressor_stays_within_its_limits_and_its_neighbour_works_on(
    bench: DockerBench, image: str
) -> None:
    rows = {one.name: {"asked": one.options, **stressed(bench, image, one)} for one in STRESSORS}
    record("stress", {"policy": "ci-cpu", "stressors": rows})


@pytest.mark.parametrize(
    "options", ["--sem-sysv 1 --sem-sysv-ops 500", "--mq 1 --mq-ops 500"], ids=["sem-sysv", "mq"]
)
def test_what_the_profile_refuses_a_stressor_works_where_no_call_is_refused(
    bench: DockerBench, image: str, options: str
) -> None:
    code, said = rig.bare(bench.engine, image, "stress-ng", *options.split(), "-t", "20s")
    assert code == 0, said
    assert "successful run completed" in said
    assert "fail" not in said.replace("unsuccessful", "")
