"""What a container must not be able to do, tried in real containers."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import (
    AisciError,
    ControlUnavailable,
    EngineFailed,
    Interrupted,
    SandboxFailed,
)
from orchestrator.core.job import UNREAD, Job, JobResult, Verdict
from orchestrator.policy.seccomp import profile_of, shipped_profile
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job.cgroup import Cgroup
from orchestrator.sandbox.sandbox import DockerSandbox
from tests.contracts.sandbox import LIMITS, MIB, Scenario, job_of
from tests.support.sandbox_rig import DockerBench, backend_here, docker_bench, resources

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("limits")
    with docker_bench(folder, f"limits-{folder}") as bench:
        yield bench
        assert bench.left_behind() == ()


def run(bench: DockerBench, program: str, **limits: Any) -> JobResult:
    scenario = Scenario(textwrap.dedent(program))
    return bench.run(job_of(bench, scenario, **limits), scenario)


# Each attempt answers with the error that stopped it, or with what it got.
ATTEMPTS = """
    import ctypes, json, os, socket
    seen = {}
    libc = ctypes.CDLL(None, use_errno=True)
    def attempt(name):
        def tried(work):
            try: seen[name] = repr(work())
            except OSError as error: seen[name] = error.strerror
        return tried
    def call(number):
        if number < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return number
    def connect(family, kind, address):
        with socket.socket(family, kind) as s:
            s.settimeout(2); s.connect(address); s.send(b'x'); return 'connected'
    for path in ('/x', '/etc/x', '/usr/x', '/workspace/x', '/data/x', '/proc/sys/kernel/x', '/sys/x'):
        attempt(path)(lambda: open(path, 'w'))
    attempt('hostname')(lambda: open('/proc/sys/kernel/hostname', 'w').write('x'))
    attempt('mknod')(lambda: os.mknod('/tmp/null', 0o20666, os.makedev(1, 3)))
    attempt('mount')(lambda: call(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)))
    attempt('unshare')(lambda: call(libc.unshare(0x10000000)))
    attempt('setuid')(lambda: os.setuid(0))
    attempt('bpf')(lambda: call(libc.syscall(321, 0, 0, 0)))
    attempt('keyctl')(lambda: call(libc.syscall(250, 0, -3, 1)))
    attempt('metadata')(lambda: connect(2, 1, ('169.254.169.254', 80)))
    attempt('gateway')(lambda: connect(2, 1, ('172.17.0.1', 80)))
    attempt('udp')(lambda: connect(2, 2, ('8.8.8.8', 53)))
    attempt('ipv6')(lambda: connect(10, 1, ('2001:4860:4860::8888', 53)))
    attempt('dns')(lambda: socket.getaddrinfo('example.org', 443))
    attempt('raw')(lambda: socket.socket(2, 3, 1))
    seen['interfaces'] = [name for _, name in socket.if_nameindex()]
    seen['devices'] = sorted(os.listdir('/dev'))
    seen['environment'] = dict(os.environ)
    seen['cwd'] = [os.getcwd(), sorted(os.listdir('.'))]
    seen['uids'] = [os.getuid(), os.geteuid(), os.getgid(), os.getgroups()]
    print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def attempts(bench: DockerBench) -> dict[str, object]:
    result = run(bench, ATTEMPTS)
    assert result.ok, result.stderr
    seen: dict[str, object] = json.loads(result.stdout)
    return seen


@pytest.mark.parametrize(
    "path", ["/x", "/etc/x", "/usr/x", "/workspace/x", "/data/x", "/proc/sys/kernel/x", "/sys/x"]
)
def test_nothing_can_be_written_outside_the_quota(attempts: dict[str, object], path: str) -> None:
    assert attempts[path] in {
        "Read-only file system",
        "No such file or directory",
        "Permission denied",
    }


@pytest.mark.parametrize(
    "name",
    ["hostname", "mknod", "mount", "unshare", "setuid", "bpf", "keyctl", "raw"],
)
def test_no_privilege_is_there(attempts: dict[str, object], name: str) -> None:
    assert attempts[name] in {
        "Operation not permitted",
        "Permission denied",
        "Read-only file system",
    }


@pytest.mark.parametrize("name", ["metadata", "gateway", "udp", "ipv6", "dns"])
def test_no_network_is_there(attempts: dict[str, object], name: str) -> None:
    assert attempts[name] in {
        "Network is unreachable",
        "Temporary failure in name resolution",
        "Cannot assign requested address",
    }
    assert attempts["interfaces"] == ["lo"]


def test_devices_environment_and_user_are_the_few_that_are_meant(
    attempts: dict[str, object],
) -> None:
    assert set(attempts["devices"]) <= {  # type: ignore[call-overload]  # a list of names
        "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr",
        "stdin", "stdout", "tty", "urandom", "zero", "console",
    }  # fmt: skip
    assert set(attempts["environment"]) <= {  # type: ignore[call-overload]  # a dict
        "HOME", "HOSTNAME", "LANG", "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PATH", "PWD",
        "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED",
    }  # fmt: skip
    assert attempts["cwd"] == ["/workspace/results/template/idea", ["main.py"]]
    assert attempts["uids"] == [65534, 65534, 65534, [65534]]


def test_the_kernel_and_the_engine_both_attest_the_settings(bench: DockerBench) -> None:
    result = run(bench, "pass")
    seen, asked = dict(result.attestation.seen), dict(result.attestation.asked)
    assert (seen["NoNewPrivs"], seen["Seccomp"], seen["CapBnd"]) == ("1", "2", "0" * 16)
    assert seen["Uid"] == "65534 65534 65534 65534"
    spaces = {seen[f"own {space} namespace"] for space in ("net", "pid", "ipc", "mnt", "uts")}
    assert spaces == {"yes" if os.geteuid() == 0 else UNREAD}
    assert asked.items() <= dict(result.attestation.inspected).items()
    assert asked["HostConfig.Memory"] == asked["HostConfig.MemorySwap"] == str(LIMITS.memory)
    assert result.attestation.image == resolve_image(bench.engine, "aisci-storage")
    assert result.attestation.storage == backend_here()
    bounds = {name: text for name, text in seen.items() if name.startswith("limit ")}
    assert bounds == {
        "limit core file": "1",
        "limit cpus": f"{LIMITS.cpus:g}",
        "limit file size": str(LIMITS.file),
        "limit memory": str(LIMITS.memory),
        "limit open files": str(LIMITS.open_files),
        "limit pids": str(LIMITS.pids),
        "limit swap": "0",
    }
    assert result.attestation.peaks.memory > 0
    assert result.attestation.peaks.wall > 0


def test_a_fork_bomb_is_stopped_by_the_count_of_processes(bench: DockerBench) -> None:
    result = run(
        bench,
        """
        import os, time
        while True:
            if os.fork() == 0: time.sleep(20); os._exit(0)
        """,
    )
    assert result.verdict is Verdict.OUT_OF_PIDS
    assert result.attestation.peaks.pids <= LIMITS.pids


def test_a_refused_fork_is_told_also_where_its_last_counters_were_gone(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the engine removes them first; the verdict does not depend on that."""
    monkeypatch.setattr(Cgroup, "sample", lambda _: None)
    result = run(bench, "import os, time\nwhile os.fork(): pass\ntime.sleep(20)")
    assert result.verdict is Verdict.OUT_OF_PIDS
    assert run(bench, "raise SystemExit(3)").verdict is Verdict.FAILED


def test_a_program_that_ignores_term_forks_twice_and_leaves_its_session_dies_all_the_same(
    bench: DockerBench,
) -> None:
    result = run(
        bench,
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True: time.sleep(0.1); open('alive', 'w').write(str(time.time()))
            os._exit(0)
        time.sleep(60)
        """,
        wall=1.0,
        grace=1.0,
    )
    assert result.verdict is Verdict.TIMED_OUT
    assert result.exit_code == 137
    assert 2.0 <= result.attestation.peaks.wall < 60.0, "it did not come to its own end"


def test_a_program_that_seizes_its_containers_own_init_dies_in_time_too(
    bench: DockerBench,
) -> None:
    """Under a profile that lets it trace others of its user; that frees it of nothing."""
    tracing = shipped_profile().normal()
    tracing["syscalls"].append({"names": ["ptrace"], "action": "SCMP_ACT_ALLOW"})
    result = run(
        bench,
        """
        import ctypes, time
        print(ctypes.CDLL(None).ptrace(16, 1, 0, 0), flush=True); time.sleep(60)
        """,
        wall=1.0,
        seccomp=profile_of(tracing).text,
    )
    assert result.stdout == "0\n"
    assert result.verdict is Verdict.TIMED_OUT
    assert result.exit_code == 137


def test_a_program_that_ends_at_term_may_put_its_house_in_order(bench: DockerBench) -> None:
    result = run(
        bench,
        """
        import os, signal, sys, time
        def ends(*_): open('run_1/last', 'w').write('saved'); sys.exit(0)
        os.mkdir('run_1'); signal.signal(signal.SIGTERM, ends); time.sleep(60)
        """,
        wall=1.0,
        grace=10.0,
    )
    assert result.verdict is Verdict.TIMED_OUT
    assert result.files.paths() == ("run_1/last",)


def test_a_flood_of_single_bytes_and_terminal_escapes_is_ended_too(bench: DockerBench) -> None:
    result = run(
        bench,
        """
        import os
        while True: os.write(1, b'\\x1b[2J'); os.write(2, b'\\xff')
        """,
        logs=64 << 10,
    )
    assert result.verdict is Verdict.LOG_FLOOD
    assert "\N{REPLACEMENT CHARACTER}" in result.stderr
    assert result.attestation.peaks.cpu_time < LIMITS.cpu_time


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may kill in a container")
def test_an_engine_that_cannot_kill_keeps_no_container_alive(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a container is to die, the host does it; where it was only asked to, it is told why."""

    def broken(*_: object) -> None:
        raise ConnectionError("the engine hung up")

    monkeypatch.setattr(bench.engine.api, "kill", broken)
    flooded = run(bench, "while True: print('y' * 1000)", logs=100_000)
    assert flooded.verdict is Verdict.LOG_FLOOD
    began = time.monotonic()
    with pytest.raises(EngineFailed, match="ending a container"):
        run(bench, "import time; time.sleep(60)", wall=1.0, grace=1.0)
    assert time.monotonic() - began < 60, "it did not come to its own end"
    assert bench.left_behind() == ()


def test_memory_is_limited_in_shared_memory_too_and_a_childs_death_is_noted(
    bench: DockerBench,
) -> None:
    result = run(
        bench,
        """
        import subprocess, sys, time
        child = subprocess.run([sys.executable, '-c', 'x = bytearray(1 << 30); x[:] = b"1" * (1 << 30)'])
        try: open('/dev/shm/x', 'wb').write(bytes(16 << 20))
        except OSError as error: print(error.strerror)
        time.sleep(0.3); print(child.returncode)
        """,
    )
    assert result.verdict is Verdict.FINISHED
    assert "memory" in result.hit
    assert result.stdout.split("\n")[:2] == ["No space left on device", "-9"]


def test_a_full_tmp_is_out_of_storage(bench: DockerBench) -> None:
    result = run(
        bench,
        """
        import time
        try: open('/tmp/x', 'wb').write(bytes(12 << 20))
        except OSError: time.sleep(0.5); raise
        """,
    )
    if os.geteuid() == 0:
        assert result.verdict is Verdict.OUT_OF_STORAGE
        assert "storage: tmp" in result.hit
    else:  # who may not look into the container has the program's own words
        assert result.verdict is Verdict.FAILED
        assert result.suspected == ("storage",)


def test_deleted_files_that_are_still_open_count_and_the_hosts_disk_does_not_shrink(
    bench: DockerBench,
) -> None:
    before = shutil.disk_usage("/").free
    result = run(
        bench,
        """
        import os, time
        held = []
        try:
            while True:
                f = open('x', 'wb', buffering=0); held.append(f); os.unlink('x')
                if f.write(bytes(4 << 20)) < 4 << 20: raise OSError('short')
        except OSError: time.sleep(2); raise SystemExit(1)
        """,
    )
    assert result.verdict is Verdict.OUT_OF_STORAGE
    assert before - shutil.disk_usage("/").free < 512 * MIB


def test_a_sparse_file_of_ten_tebibytes_is_refused_by_its_apparent_size(bench: DockerBench) -> None:
    result = run(
        bench,
        """
        import os
        os.mkdir('run_1'); open('run_1/good', 'w').write('1')
        os.truncate(os.open('run_1/sparse', os.O_CREAT | os.O_RDWR), 10 << 40)
        """,
        file=12 << 40,
    )
    assert result.verdict is Verdict.FINISHED
    assert result.files.paths() == ("run_1/good",)
    assert result.refused == (("run_1/sparse", f"{10 << 40} bytes, over what may be harvested"),)


def test_an_output_folder_that_is_a_symlink_is_refused_and_nothing_behind_it_read(
    bench: DockerBench,
) -> None:
    result = run(bench, "import os; os.symlink('/etc', 'run_1')")
    assert result.files.files == ()
    assert result.refused == (("run_1", "a symbolic link"),)


def test_files_that_their_owner_made_unreadable_still_come_home(bench: DockerBench) -> None:
    result = run(
        bench,
        """
        import os
        os.makedirs('run_1/locked'); open('run_1/locked/x', 'w').write('secret')
        os.chmod('run_1/locked/x', 0); os.chmod('run_1/locked', 0); os.chmod('run_1', 0)
        """,
    )
    assert result.files.paths() == ("run_1/locked/x",)


def test_folders_too_deep_or_too_many_are_cut_off_and_named(bench: DockerBench) -> None:
    result = run(
        bench,
        """
        import os
        os.makedirs('run_1/' + '/'.join('d' * 200 for _ in range(9)))
        open('run_1/x', 'w').close()
        """,
        inodes=600,
    )
    assert result.files.paths() == ("run_1/x",)
    assert all("levels" in why or "level" in why for _, why in result.refused)
    assert result.refused


def test_a_command_that_is_not_there_fails_as_in_a_shell(bench: DockerBench) -> None:
    job = replace(job_of(bench, Scenario("pass")), argv=("no-such-program",))
    result = bench.sandbox.run(job)
    assert (result.verdict, result.exit_code) == (Verdict.FAILED, 127)


def test_a_program_reads_no_input(bench: DockerBench) -> None:
    assert run(bench, "import sys; print(repr(sys.stdin.read()))").stdout == "''\n"


def test_arguments_with_spaces_quotes_and_dollars_arrive_as_they_are(bench: DockerBench) -> None:
    odd = ("a b", "$HOME", "`id`", "'\"", "", "--", "\n")
    job = job_of(bench, Scenario("import sys, json; print(json.dumps(sys.argv[1:]))"))
    result = bench.sandbox.run(replace(job, argv=(*job.argv, *odd)))
    assert tuple(json.loads(result.stdout)) == odd


def test_staged_data_is_read_only_at_both_its_places(bench: DockerBench, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("42")
    tmp_path.chmod(0o777)
    program = """
        for place in ('/data/mnist', '../../../data/mnist'):
            print(open(place + '/numbers.txt').read())
            try: open(place + '/x', 'w')
            except OSError as error: print(error.strerror)
        """
    scenario = Scenario(textwrap.dedent(program))
    job = replace(job_of(bench, scenario), data=(("mnist", str(tmp_path)),))
    result = bench.sandbox.run(job)
    assert result.stdout.splitlines() == ["42", "Read-only file system"] * 2


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "a\nb"])
def test_a_data_set_of_an_unsafe_name_is_refused(bench: DockerBench, name: str) -> None:
    job = replace(job_of(bench, Scenario("pass")), data=((name, "/tmp"),))
    with pytest.raises(ControlUnavailable):
        bench.sandbox.run(job)


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"network": ("api.example.org:443",), "runtime": "runsc"}, "network"),
        ({"runtime": "no-such-runtime"}, "runtime"),
        ({"user": "0:0"}, "user"),
        ({"user": "nobody"}, "user"),
        ({"cpus": 4096.0}, "resources.cpus"),
        ({"memory": 1 << 50}, "resources.memory"),
        ({"env": (("LD_PRELOAD", "/tmp/x.so"),)}, "LD_PRELOAD"),
    ],
)
def test_a_control_that_cannot_be_had_stops_the_job_and_is_named(
    bench: DockerBench, limits: dict[str, object], named: str
) -> None:
    with pytest.raises(ControlUnavailable, match=named):
        run(bench, "pass", **limits)


def test_an_image_that_changes_how_programs_load_or_adds_a_volume_is_refused(
    bench: DockerBench,
) -> None:
    base = bench.engine.images.get(resolve_image(bench.engine, "aisci-storage"))
    made = bench.engine.api.create_container(base.id)["Id"]
    tag = "aisci-test-evil"
    changes = ["ENV LD_PRELOAD=/tmp/x.so", "VOLUME /outside"]
    bench.engine.api.commit(made, repository=tag, changes=changes)
    bench.engine.api.remove_container(made)
    try:
        evil = bench.with_images(lambda name: bench.engine.images.get(tag).id or name)
        with pytest.raises(SandboxFailed, match=r"LD_PRELOAD[\s\S]*volume at /outside"):
            evil.run(job_of(bench, Scenario("pass")))
    finally:
        bench.engine.images.remove(tag)


def test_the_tmpfs_backend_holds_its_quota_too_and_is_named(tmp_path: Path) -> None:
    with docker_bench(tmp_path, f"tmpfs-{tmp_path}", backends=("tmpfs",)) as bench:
        full = run(bench, "open('x', 'wb').write(bytes(12 << 20))", workspace=8 * MIB)
        many = run(bench, "for i in range(2000): open(str(i), 'w')", workspace=8 * MIB)
        with pytest.raises(ControlUnavailable, match="hard disk quota"):
            run(bench, "pass", workspace=LIMITS.memory)
    assert (full.verdict, full.attestation.storage) == (Verdict.OUT_OF_STORAGE, "tmpfs")
    assert "storage: inodes" in many.hit


def duplex(bench: DockerBench, program: str, **limits: Any) -> Job:
    return job_of(bench, Scenario(textwrap.dedent(program)), **limits)


def test_a_duplex_job_answers_line_by_line_and_its_files_come_home(bench: DockerBench) -> None:
    program = """
        import os, sys
        os.mkdir('run_1')
        for line in sys.stdin: print(len(line), flush=True)
        open('run_1/end', 'w').write('seen')
        """
    with bench.sandbox.open(duplex(bench, program)) as session:
        session.send(b"one")
        assert session.receive(10) == b"4"
        session.send(b"x" * 300_000)
        assert session.receive(10) == b"300001"
        assert session.receive(0.1) is None
        result = session.finish()
        assert session.receive(1) is None
    assert result.ok
    assert result.files.paths() == ("run_1/end",)


def test_a_duplex_job_is_ended_in_time_while_its_caller_is_elsewhere(bench: DockerBench) -> None:
    with bench.sandbox.open(duplex(bench, "input()", wall=1.0)) as session:
        assert session.receive(20) is None
        session.wait()
        with pytest.raises(BrokenPipeError):
            session.send(b"too late")
        assert session.finish().verdict is Verdict.TIMED_OUT


def test_a_duplex_job_that_will_not_end_is_killed_after_its_grace(bench: DockerBench) -> None:
    with bench.sandbox.open(duplex(bench, "import time; time.sleep(60)")) as session:
        assert session.finish().verdict is Verdict.TIMED_OUT


def test_a_caller_that_breaks_off_leaves_nothing(bench: DockerBench) -> None:
    with pytest.raises(ZeroDivisionError), bench.sandbox.open(duplex(bench, "input()")):
        _ = 1 / 0
    assert bench.left_behind() == ()


def test_stopping_the_sandbox_ends_running_jobs_in_every_thread(tmp_path: Path) -> None:
    raised: list[AisciError] = []
    with docker_bench(tmp_path, f"stop-{tmp_path}") as bench:

        def runs(number: int) -> None:
            scenario = Scenario("import time; time.sleep(60)")
            try:
                bench.run(job_of(bench, scenario, scope=f"idea-{number}"), scenario)
            except AisciError as error:
                raised.append(error)

        threads = [threading.Thread(target=runs, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 60
        while len(bench.sandbox.pool.running) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        bench.sandbox.pool.stop()
        for thread in threads:
            thread.join(30)
        assert bench.left_behind() == ()
    assert [type(error) for error in raised] == [Interrupted, Interrupted]


def test_progress_is_told_from_start_to_end(bench: DockerBench) -> None:
    events: list[str] = []
    sandbox = DockerSandbox(bench.sandbox.pool, bench.blobs, lambda what, _: events.append(what))
    sandbox.run(duplex(bench, "import time; time.sleep(0.3)"))
    assert events[:2] == ["waiting", "started"]
    assert events[-1] == "ended"
    assert "sample" in events


def test_two_runs_with_equal_jobs_do_not_meet(bench: DockerBench, tmp_path: Path) -> None:
    job = job_of(bench, Scenario("pass"), scope="equal")
    with docker_bench(tmp_path, f"other-{tmp_path}") as other:
        other.blobs.put(b"pass")
        with bench.sandbox.open(job), other.sandbox.open(job):
            engine = connect()
            names = resources(engine, bench.run_id) + resources(engine, other.run_id)
            engine.close()
            assert sum(name.endswith("-job") for name in names) == 2
