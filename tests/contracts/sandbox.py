"""What the port ``Sandbox`` promises, for every implementation to pass.

A module that wants a sandbox checked makes a subclass of :class:`SandboxContract` with a
fixture ``bench``. Each scenario says the same thing twice: as a program, for a sandbox that
runs programs, and as the ending that a scripted one is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.job import Job, JobResult, Limits, Verdict
from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import Tree
from orchestrator.sandbox.scripted import Ending

MIB = 1 << 20

LIMITS = Limits(
    image="aisci-storage",
    runtime="runc",
    user="65534:65534",
    cpus=1.0,
    memory=128 * MIB,
    pids=32,
    shm=8 * MIB,
    open_files=128,
    wall=30.0,
    cpu_time=30.0,
    grace=1.0,
    workspace=32 * MIB,
    tmp=8 * MIB,
    inodes=512,
    file=16 * MIB,
    logs=MIB,
    harvest_files=20,
    harvest_bytes=8 * MIB,
    harvest_file=4 * MIB,
    harvest_depth=4,
)


@dataclass(frozen=True)
class Scenario:
    """A program, and how a scripted job that does the same ends."""

    program: str
    ending: Ending = field(default_factory=Ending)


class Bench(Protocol):
    """A sandbox with its store, and whatever else it needs, set up."""

    @property
    def blobs(self) -> Blobs:
        """Where the files of its jobs lie."""

    def run(self, job: Job, scenario: Scenario, within: Deadline = FOREVER) -> JobResult:
        """Run ``job``, whose program is ``scenario``'s."""

    def left_behind(self) -> tuple[str, ...]:
        """Names of what jobs that have ended still hold."""


def job_of(
    bench: Bench,
    scenario: Scenario,
    *,
    scope: str = "run/idea/run_1/1",
    files: Mapping[str, bytes] | Tree | None = None,
    harvest: tuple[str, ...] = ("run_1/",),
    **limits: object,
) -> Job:
    """A job whose command is the scenario's program, in ``main.py``."""
    given = files if isinstance(files, Tree) else Tree.of(_put(bench, files or {}))
    return Job(
        scope=scope,
        kind="experiment",
        argv=("python3", "main.py"),
        files=given.updated(_put(bench, {"main.py": scenario.program.encode()})),
        limits=replace(LIMITS, **limits),  # type: ignore[arg-type]  # the fields' own types
        harvest=harvest,
    )


def _put(bench: Bench, files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: bench.blobs.put(data) for path, data in files.items()}


WRITES = Scenario(
    "import os\n"
    "os.makedirs('run_1/deep')\n"
    "open('run_1/final_info.json', 'w').write('{}')\n"
    "open('run_1/deep/x.bin', 'wb').write(bytes(range(256)))\n"
    "open('elsewhere.txt', 'w').write('not asked for')\n"
    "print('out'); import sys; print('err', file=sys.stderr)\n",
    Ending(
        files={
            "run_1/final_info.json": b"{}",
            "run_1/deep/x.bin": bytes(range(256)),
            "elsewhere.txt": b"not asked for",
        },
        stdout="out\n",
        stderr="err\n",
    ),
)


class SandboxContract:
    """Every test here holds for every sandbox."""

    def test_a_job_that_ends_well_is_finished_and_its_declared_files_come_home(
        self, bench: Bench
    ) -> None:
        result = bench.run(job_of(bench, WRITES), WRITES)
        assert result.verdict is Verdict.FINISHED
        assert (result.exit_code, result.stdout, result.stderr) == (0, "out\n", "err\n")
        assert result.files.paths() == ("run_1/deep/x.bin", "run_1/final_info.json")
        assert bench.blobs.get(dict(result.files.files)["run_1/deep/x.bin"]) == bytes(range(256))
        assert (result.refused, result.hit, result.suspected) == ((), (), ())
        assert result.attestation.verdict is Verdict.FINISHED

    def test_a_file_can_be_harvested_by_its_own_name(self, bench: Bench) -> None:
        result = bench.run(job_of(bench, WRITES, harvest=("elsewhere.txt", "absent.txt")), WRITES)
        assert result.files.paths() == ("elsewhere.txt",)
        assert result.ok

    def test_a_program_that_fails_keeps_its_exit_code_its_words_and_its_files(
        self, bench: Bench
    ) -> None:
        fails = Scenario(
            "import os, sys\n"
            "os.mkdir('run_1'); open('run_1/log', 'w').write('so far')\n"
            "print('it broke', file=sys.stderr); sys.exit(3)\n",
            Ending(files={"run_1/log": b"so far"}, exit_code=3, stderr="it broke\n"),
        )
        result = bench.run(job_of(bench, fails), fails)
        assert (result.verdict, result.exit_code) == (Verdict.FAILED, 3)
        assert result.stderr == "it broke\n"
        assert result.files.paths() == ("run_1/log",)

    def test_a_program_past_its_wall_clock_is_timed_out(self, bench: Bench) -> None:
        sleeps = Scenario("import time; time.sleep(60)", Ending(seconds=60))
        result = bench.run(job_of(bench, sleeps, wall=1.0), sleeps)
        assert result.verdict is Verdict.TIMED_OUT
        assert not result.ok

    def test_a_job_under_way_ends_with_its_ideas_time_and_names_it(self, bench: Bench) -> None:
        sleeps = Scenario("import time; time.sleep(60)", Ending(seconds=60))
        with pytest.raises(BudgetSpent, match=r"idea\.wall") as caught:
            bench.run(job_of(bench, sleeps), sleeps, Deadline.after(4.0, "idea.wall"))
        assert caught.value.transient
        assert bench.left_behind() == ()

    def test_a_job_that_ends_within_its_ideas_time_is_as_it_ever_was(self, bench: Bench) -> None:
        result = bench.run(job_of(bench, WRITES), WRITES, Deadline.after(120.0, "idea.wall"))
        assert result.files == bench.run(job_of(bench, WRITES), WRITES).files

    def test_a_job_past_its_own_limit_first_is_timed_out(self, bench: Bench) -> None:
        sleeps = Scenario("import time; time.sleep(60)", Ending(seconds=60))
        within = Deadline.after(60.0, "idea.wall")
        assert (
            bench.run(job_of(bench, sleeps, wall=1.0), sleeps, within).verdict is Verdict.TIMED_OUT
        )

    def test_cpu_time_is_counted_over_all_processes(self, bench: Bench) -> None:
        burns = Scenario("import os\nos.fork()\nwhile True: pass", Ending(cpu_time=60, seconds=60))
        result = bench.run(job_of(bench, burns, cpu_time=1.0), burns)
        assert result.verdict is Verdict.OUT_OF_CPU_TIME

    def test_a_full_workspace_is_out_of_storage(self, bench: Bench) -> None:
        fills = Scenario(
            "for i in range(9): open(f'f{i}', 'wb').write(bytes(8 << 20))",
            Ending(
                files={f"f{i}": bytes(8 * MIB) for i in range(9)},
                exit_code=1,
                stderr="OSError: [Errno 28] No space left on device",
            ),
        )
        result = bench.run(job_of(bench, fills), fills)
        assert result.verdict is Verdict.OUT_OF_STORAGE
        assert "storage: bytes" in result.hit

    def test_too_many_files_is_out_of_storage(self, bench: Bench) -> None:
        litters = Scenario(
            "for i in range(2000): open(f'f{i}', 'w').close()",
            Ending(files={f"f{i}": b"" for i in range(2000)}, exit_code=1),
        )
        result = bench.run(job_of(bench, litters), litters)
        assert result.verdict is Verdict.OUT_OF_STORAGE
        assert "storage: inodes" in result.hit

    def test_one_file_over_its_limit_is_out_of_storage(self, bench: Bench) -> None:
        grows = Scenario(
            "open('big', 'wb').write(bytes(5 << 20))",
            Ending(files={"big": bytes(5 * MIB)}, exit_code=1),
        )
        result = bench.run(job_of(bench, grows, file=4 * MIB), grows)
        assert result.verdict is Verdict.OUT_OF_STORAGE
        assert "storage: file size" in result.hit

    def test_too_much_memory_is_out_of_memory(self, bench: Bench) -> None:
        eats = Scenario(
            "x = []\nwhile True: x.append(bytearray(8 << 20))",
            Ending(memory=256 * MIB, exit_code=137),
        )
        result = bench.run(job_of(bench, eats), eats)
        assert result.verdict is Verdict.OUT_OF_MEMORY
        assert "memory" in result.hit

    def test_a_limit_that_a_program_gets_over_leaves_it_finished_and_noted(
        self, bench: Bench
    ) -> None:
        survives = Scenario(
            "import os\n"
            "try:\n"
            "    for i in range(9): open(f'f{i}', 'wb').write(bytes(8 << 20))\n"
            "except OSError: pass\n"
            "import time; time.sleep(0.5)\n",
            Ending(files={f"f{i}": bytes(8 * MIB) for i in range(9)}),
        )
        result = bench.run(job_of(bench, survives), survives)
        assert result.verdict is Verdict.FINISHED
        assert "storage: bytes" in result.hit

    def test_what_only_the_programs_words_say_is_suspected(self, bench: Bench) -> None:
        claims = Scenario(
            "raise SystemExit('OSError: No space left on device')",
            Ending(exit_code=1, stderr="OSError: No space left on device\n"),
        )
        result = bench.run(job_of(bench, claims), claims)
        assert (result.verdict, result.suspected) == (Verdict.FAILED, ("storage",))

    def test_a_flood_of_output_is_ended(self, bench: Bench) -> None:
        floods = Scenario("while True: print('y' * 1000)", Ending(stdout="y" * 2 * MIB))
        result = bench.run(job_of(bench, floods), floods)
        assert result.verdict is Verdict.LOG_FLOOD
        assert len(result.stdout) <= 64 << 10

    def test_what_is_no_regular_file_is_refused_by_name_and_the_rest_kept(
        self, bench: Bench
    ) -> None:
        odd = Scenario(
            "import os\n"
            "os.mkdir('run_1'); open('run_1/good', 'w').close()\n"
            "os.symlink('/etc/passwd', 'run_1/link'); os.mkfifo('run_1/pipe')\n",
            Ending(files={"run_1/good": b""}, odd=(("run_1/link", b"2"), ("run_1/pipe", b"6"))),
        )
        result = bench.run(job_of(bench, odd), odd)
        assert result.files.paths() == ("run_1/good",)
        assert dict(result.refused) == {"run_1/link": "a symbolic link", "run_1/pipe": "a FIFO"}

    def test_hostile_names_are_refused_and_escaped(self, bench: Bench) -> None:
        names = ["a\nb", "c\x1b[2Jd", "-rf", "é\u202e", "ok"]
        hostile = Scenario(
            f"import os; os.mkdir('run_1')\nfor n in {names!r}: open('run_1/' + n, 'w').close()",
            Ending(files={f"run_1/{name}": b"" for name in names}),
        )
        result = bench.run(job_of(bench, hostile), hostile)
        assert result.files.paths() == ("run_1/ok",)
        assert len(result.refused) == 4
        assert all(path.isprintable() for path, _ in result.refused)

    def test_the_harvests_caps_are_held_and_what_is_over_them_is_named(self, bench: Bench) -> None:
        much = Scenario(
            "import os; os.mkdir('run_1')\n"
            "for i in range(30): open(f'run_1/{i:02}', 'w').close()\n"
            "open('run_1/0big', 'wb').write(bytes(5 << 20))\n",
            Ending(
                files={f"run_1/{i:02}": b"" for i in range(30)} | {"run_1/0big": bytes(5 * MIB)}
            ),
        )
        result = bench.run(job_of(bench, much), much)
        assert len(result.files.files) == LIMITS.harvest_files
        refused = dict(result.refused)
        assert refused["run_1/0big"] == f"{5 * MIB} bytes, over what may be harvested"
        assert refused["run_1/29"] == "more than 20 files"

    def test_a_later_job_reads_what_an_earlier_one_left(self, bench: Bench) -> None:
        first = bench.run(job_of(bench, WRITES), WRITES)
        reads = Scenario(
            "import sys; data = open('run_1/deep/x.bin', 'rb').read()\n"
            "assert data == bytes(range(256)); print(len(data))",
            Ending(stdout="256\n"),
        )
        later = bench.run(job_of(bench, reads, files=first.files, scope="run/idea/plot/1"), reads)
        assert (later.verdict, later.stdout) == (Verdict.FINISHED, "256\n")

    def test_equal_jobs_have_one_id_and_another_attempt_has_another(self, bench: Bench) -> None:
        assert job_of(bench, WRITES).id == job_of(bench, WRITES).id
        assert job_of(bench, WRITES).id != job_of(bench, WRITES, scope="run/idea/run_1/2").id

    def test_the_same_job_may_run_again_and_ends_alike(self, bench: Bench) -> None:
        job = job_of(bench, WRITES)
        assert bench.run(job, WRITES).files == bench.run(job, WRITES).files

    def test_nothing_is_left_behind(self, bench: Bench) -> None:
        fails = Scenario("raise SystemExit(1)", Ending(exit_code=1))
        bench.run(job_of(bench, WRITES), WRITES)
        bench.run(job_of(bench, fails), fails)
        assert bench.left_behind() == ()
