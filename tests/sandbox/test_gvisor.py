"""Jobs under gVisor: the sandbox's whole contract, each control attacked, each exception named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ControlUnavailable, SandboxFailed
from orchestrator.core.files import shipped_root
from orchestrator.core.job import UNREAD, Attestation, Job, JobResult, Verdict
from orchestrator.policy.check import check
from orchestrator.policy.controls import departing
from orchestrator.policy.policy import load_policy
from orchestrator.policy.runtimes import departures
from orchestrator.policy.seccomp import forms_under, shipped_profile, under
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job.gvisor import why_unusable
from orchestrator.sandbox.job.verify import check_engine, check_kernel_view
from tests.contracts.sandbox import LIMITS, MIB, Bench, SandboxContract, Scenario, job_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine


class GvisorBench:
    """The same bench, its jobs under runsc with room for what gVisor itself takes."""

    def __init__(self, bench: DockerBench) -> None:
        self._bench, self.blobs, self.engine = bench, bench.blobs, bench.engine
        self.sandbox = bench.sandbox

    def run(self, job: Job, scenario: Scenario, within: Deadline = FOREVER) -> JobResult:
        limits = job.limits
        room = replace(
            limits, runtime="runsc", pids=limits.pids + 128, memory=limits.memory + 64 * MIB
        )
        return self._bench.run(replace(job, limits=room), scenario, within)

    def left_behind(self) -> tuple[str, ...]:
        return self._bench.left_behind()


@pytest.fixture(scope="module")
def gvisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GvisorBench]:
    engine = connect()
    why = why_unusable(engine.info())
    engine.close()
    if why:
        pytest.skip(f"no gVisor: {why}")
    folder = tmp_path_factory.mktemp("gvisor")
    with docker_bench(folder, f"gvisor-{folder}") as bench:
        yield GvisorBench(bench)
        assert bench.left_behind() == ()


@pytest.mark.sampled
class TestGvisorSandbox(SandboxContract):
    @pytest.fixture
    def bench(self, gvisor: GvisorBench) -> GvisorBench:
        return gvisor

    def test_what_is_no_regular_file_is_refused_by_name_and_the_rest_kept(
        self, bench: Bench
    ) -> None:
        """As under runc, but for the pipe: that one is inside gVisor alone (see the table)."""
        odd = Scenario(
            "import os\n"
            "os.mkdir('run_1'); open('run_1/good', 'w').close()\n"
            "os.symlink('/etc/passwd', 'run_1/link'); os.mkfifo('run_1/pipe')\n"
        )
        result = bench.run(job_of(bench, odd), odd)
        assert result.files.paths() == ("run_1/good",)
        assert dict(result.refused) == {"run_1/link": "a symbolic link"}


# One container's attempts; each answers with what stopped it, or with what it got.
ATTEMPTS = """
    import ctypes, json, os, resource, signal, socket, subprocess
    seen = {}
    libc = ctypes.CDLL(None, use_errno=True)
    def call(*words):
        got = libc.syscall(*map(ctypes.c_long, words))
        if got < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return got
    def attempt(name, work):
        try: seen[name] = repr(work())
        except OSError as error: seen[name] = error.strerror
    def connect(family, kind, address):
        with socket.socket(family, kind) as s:
            s.settimeout(2); s.connect(address); s.send(b'x'); return 'connected'
    def fill(path):
        wrote = 0
        try:
            with open(path, 'wb', buffering=0) as file:
                while wrote < 1 << 30: wrote += file.write(bytes(1 << 20))
        except OSError: pass
        os.unlink(path)
        return wrote
    def open_many():
        held = []
        try:
            while len(held) < 10000: held.append(open('/dev/null'))
        except OSError: pass
        return len(held)
    def start_it():
        with open('tool', 'w') as file: file.write('#!/bin/sh\\necho started')
        os.chmod('tool', 0o755)
        return subprocess.run(['./tool'], capture_output=True, text=True).stdout
    def many_in_tmp():
        for number in range(600): open(f'/tmp/{number}', 'w').close()
        return number + 1
    for path in ('/x', '/etc/x', '/usr/x', '/workspace/x', '/proc/sys/kernel/x', '/sys/x', '/dev/x'):
        attempt(path, lambda: open(path, 'w'))
    attempt('hostname', lambda: open('/proc/sys/kernel/hostname', 'w').write('x'))
    attempt('mknod', lambda: os.mknod('/tmp/null', 0o20666, os.makedev(1, 3)))
    attempt('mount', lambda: call(165, 0, 0, 0, 0, 0))
    attempt('unshare', lambda: call(272, 0x10000000))
    attempt('setuid', lambda: os.setuid(0))
    attempt('ptrace', lambda: call(101, 16, 1, 0, 0))
    attempt('keyctl', lambda: call(250, 0, -3, 1))
    attempt('bpf', lambda: call(321, 0, 0, 0))
    attempt('io_uring', lambda: call(425, 4, 0))
    attempt('raw', lambda: socket.socket(2, 3, 1))
    attempt('packet', lambda: socket.socket(17, 3, 0))
    attempt('clone3', lambda: call(435, 0, 0))
    attempt('metadata', lambda: connect(2, 1, ('169.254.169.254', 80)))
    attempt('gateway', lambda: connect(2, 1, ('172.17.0.1', 80)))
    attempt('udp', lambda: connect(2, 2, ('8.8.8.8', 53)))
    attempt('ipv6', lambda: connect(10, 1, ('2001:4860:4860::8888', 53)))
    attempt('dns', lambda: socket.getaddrinfo('example.org', 443))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    seen['largest'] = {path: fill(path + '/big') for path in ('.', '/tmp', '/dev/shm')}
    seen['open'] = open_many()
    seen['core'] = resource.getrlimit(resource.RLIMIT_CORE)
    seen['interfaces'] = [name for _, name in socket.if_nameindex()]
    seen['processes'] = [name for name in os.listdir('/proc') if name.isdigit()]
    seen['status'] = dict(line.split(':\\t', 1) for line in open('/proc/self/status').read().splitlines())
    seen['environment'] = dict(os.environ)
    seen['started'] = start_it()
    seen['options'] = os.statvfs('.').f_flag & (os.ST_NODEV | os.ST_NOSUID)
    seen['in tmp'] = many_in_tmp()
    print(json.dumps(seen))
"""
USER = "1000:1001"  # not the user that gVisor's own process has on the host


@pytest.fixture(scope="module")
def attempts(gvisor: GvisorBench) -> tuple[dict[str, Any], Attestation]:
    result = run(gvisor, ATTEMPTS, user=USER)
    assert result.ok, result.stderr
    return json.loads(result.stdout), result.attestation


def run(bench: GvisorBench, program: str, **limits: Any) -> JobResult:
    scenario = Scenario(textwrap.dedent(program))
    return bench.run(job_of(bench, scenario, **limits), scenario)


ROOM = ("/x", "/etc/x", "/usr/x", "/workspace/x", "/proc/sys/kernel/x", "/sys/x", "/dev/x")
RIGHTS = ("hostname", "mknod", "mount", "unshare", "setuid", "ptrace", "keyctl", "bpf", "io_uring",
          "raw", "packet")  # fmt: skip
WAYS = ("metadata", "gateway", "udp", "ipv6", "dns")


@pytest.mark.parametrize("path", ROOM)
def test_nothing_can_be_written_outside_the_quota(attempts: Any, path: str) -> None:
    refused = {"Read-only file system", "No such file or directory", "Permission denied"}
    assert attempts[0][path] in refused


@pytest.mark.parametrize("name", RIGHTS)
def test_no_privilege_is_there(attempts: Any, name: str) -> None:
    assert attempts[0][name] in {"Operation not permitted", "Permission denied"}


@pytest.mark.parametrize("name", WAYS)
def test_nothing_can_be_reached(attempts: Any, name: str) -> None:
    assert attempts[0][name] in {
        "No route to host",
        "Network is unreachable",
        "Temporary failure in name resolution",
    }
    assert attempts[0]["interfaces"] == ["lo"]


def test_the_job_has_the_policys_user_no_capability_and_the_filter(attempts: Any) -> None:
    """Read inside, where gVisor's kernel says it of the job's own process."""
    status = attempts[0]["status"]
    assert status["Uid"].split() == ["1000"] * 4
    assert status["Gid"].split() == ["1001"] * 4
    assert {status[f"Cap{which}"] for which in ("Eff", "Prm", "Bnd", "Inh")} == {"0" * 16}
    assert status["Seccomp"] == "2"


def test_files_tmp_shm_and_descriptors_end_where_the_policy_says(attempts: Any) -> None:
    largest = attempts[0]["largest"]
    assert largest["."] <= LIMITS.file
    assert largest["/tmp"] <= LIMITS.tmp
    assert largest["/dev/shm"] <= LIMITS.shm
    assert all(size > 0 for size in largest.values())
    assert attempts[0]["open"] < LIMITS.open_files
    assert attempts[0]["core"] == [1, 1]


def test_the_job_sees_no_other_process_and_nothing_of_the_hosts_environment(attempts: Any) -> None:
    assert len(attempts[0]["processes"]) <= 3  # the init and the program
    told = {"HOME", "HOSTNAME", "LANG", "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PATH", "PWD"}
    told |= {"PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED"}
    assert set(attempts[0]["environment"]) <= told


def test_a_fork_bomb_ends_and_says_why(gvisor: GvisorBench) -> None:
    result = run(gvisor, "import os\nwhile True: os.fork()", wall=20.0)
    assert not result.ok
    assert "pids" in result.hit
    assert result.attestation.peaks.pids <= LIMITS.pids + 128


def test_what_ignores_term_and_leaves_its_session_is_dead_in_time(gvisor: GvisorBench) -> None:
    result = run(
        gvisor,
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0: os.setsid(); os.fork()
        time.sleep(60)
        """,
        wall=1.0,
    )
    assert (result.verdict, result.exit_code) == (Verdict.TIMED_OUT, 137)


def test_memory_ends_at_the_limit_through_tmp_and_shm_too(gvisor: GvisorBench) -> None:
    fills = """
        held = []
        for place in ('/tmp/x', '/dev/shm/x'):
            with open(place, 'wb', buffering=0) as file:
                for _ in range(60): file.write(bytes(1 << 20))
        while True: held.append(bytearray(8 << 20))
        """
    result = run(gvisor, fills, tmp=64 * MIB, shm=64 * MIB, file=64 * MIB, workspace=64 * MIB)
    assert result.verdict is Verdict.OUT_OF_MEMORY
    assert result.attestation.peaks.memory <= LIMITS.memory + 64 * MIB


def test_no_more_of_the_cpus_is_had_than_the_policy_says(gvisor: GvisorBench) -> None:
    """Two processes that want a CPU each have half a one between them, by the host's own count."""
    burns = """
        import os, time
        began = time.monotonic()
        os.fork()
        while time.monotonic() < began + 4: pass
        """
    result = run(gvisor, burns, cpus=0.5)
    peaks = result.attestation.peaks
    assert result.ok
    assert peaks.wall >= 4.0
    assert peaks.cpu_time <= 0.75 * peaks.wall


# --- each exception is as the table says, or it is none ------------------------------------


def _other_user(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # one form for all
    seen = dict(attempts[1].seen)
    assert seen["user namespace"] == "own"
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    return seen["Uid"].split()[0] != "1000" and int(seen["CapEff"], 16) != 0


def _process_space(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    seen: str = dict(attempts[1].seen)["own pid namespace"]
    if seen == UNREAD:
        pytest.skip("only root may read namespaces")
    return seen == "no"


def _rlimits(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    seen = dict(attempts[1].seen)
    wide = seen["limit open files"] != str(LIMITS.open_files)
    return wide and bool(seen["limit file size"] != str(LIMITS.file))


def _threads_counted(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    """gVisor's own, and those of the job's processes; its threads that wait are none."""
    program = """
        import os, threading, time
        threading.stack_size(64 << 10)
        for _ in range(400):
            threading.Thread(target=time.sleep, args=(60,)).start()
            time.sleep(0.005)  # each has gone to wait before many more start
        print(threading.active_count(), flush=True)
        time.sleep(2)  # all wait while they are counted
        os._exit(0)
        """
    waiting = run(gvisor, program, pids=512)
    assert waiting.stdout == "401\n", waiting.stderr
    assert waiting.attestation.peaks.pids < 400
    return run(gvisor, "import time; time.sleep(1)").attestation.peaks.pids > 32


def _whole_killed(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    program = """
        import os
        if os.fork() == 0:
            held = []
            while True: held.append(bytearray(8 << 20))
        os.wait(); print('the parent lives')
        """
    result = run(gvisor, program)
    return result.verdict is Verdict.OUT_OF_MEMORY and "lives" not in result.stdout


def _numbers_kept(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    """A job that has set both waits, while the host's own numbers of it are read."""
    program = """
        import os, sys
        print(os.nice(-5), open('/proc/self/oom_score_adj', 'w').write('-1000'), flush=True)
        sys.stdin.readline()
        """
    scenario = Scenario(textwrap.dedent(program))
    job = job_of(gvisor, scenario, runtime="runsc", pids=160, memory=LIMITS.memory + 64 * MIB)
    sandbox = gvisor.sandbox
    with sandbox.open(job) as session:
        set_both = session.receive(60) == b"-5 5"
        (watch,) = sandbox.pool.running
        theirs = [
            path.parent
            for path in Path("/proc").glob("[0-9]*/cgroup")
            if watch._container in _text(path)
        ]
        nice = {_text(path / "stat").rpartition(")")[2].split()[16] for path in theirs}
        scores = {int(_text(path / "oom_score_adj")) for path in theirs}
    assert theirs
    assert nice == {"0"}
    assert min(scores) >= 0
    return set_both


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has just ended
        return ""


def _errno_unread(gvisor: GvisorBench, attempts: Any) -> bool:
    """The profile as it is lets no thread start there; as it is given, clone3 is not there."""
    assert attempts[0]["clone3"] == "Function not implemented"
    given = dict(attempts[1].asked)["HostConfig.SecurityOpt"]
    assert f"sha256:{under(shipped_profile(), 'runsc').sha256}" in given
    return "can't start new thread" in bare(gvisor.engine, THREAD, shipped_profile().text)


def _executable(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    assert attempts[0]["options"] == 0
    return bool(attempts[0]["started"] == "started\n")


def _tmp_inodes(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    return bool(attempts[0]["in tmp"] > LIMITS.inodes)


def _full_tmp(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    result = run(gvisor, "open('/tmp/x', 'wb').write(bytes(12 << 20))")
    assert set(result.suspected) & {"storage", "file size"}
    return result.verdict is Verdict.FAILED and "storage: tmp" not in result.hit


def _pipes_inside(gvisor: GvisorBench, attempts: Any) -> bool:  # noqa: ARG001  # as above
    result = run(gvisor, "import os; os.mkdir('run_1'); os.mkfifo('run_1/pipe')")
    return result.ok and result.refused == ()


OCCURS: dict[str, Callable[[GvisorBench, Any], bool]] = {
    "user and capabilities": _other_user,
    "process namespace": _process_space,
    "open files, single file, core dumps": _rlimits,
    "pids": _threads_counted,
    "memory": _whole_killed,
    "priority and OOM score": _numbers_kept,
    "seccomp": _errno_unread,
    "noexec on the workspace": _executable,
    "inodes in /tmp": _tmp_inodes,
    "a full /tmp": _full_tmp,
    "named pipes and sockets in the workspace": _pipes_inside,
}
THREAD = "import threading; t = threading.Thread(target=print, args=('ran',)); t.start(); t.join()"


def bare(engine: Engine, program: str, profile: str) -> str:
    """What a program says in a container of runsc's with nothing of aisci's but the profile."""
    host = engine.api.create_host_config(
        network_mode="none", security_opt=[f"seccomp={profile}"], runtime="runsc"
    )
    image = resolve_image(engine, "aisci-storage")
    made = engine.api.create_container(image, ["python3", "-c", program], host_config=host)["Id"]
    try:
        engine.api.start(made)
        engine.api.wait(made, timeout=60)
        return str(engine.api.logs(made).decode())
    finally:
        engine.api.remove_container(made, force=True)


def test_a_thread_starts_under_the_profile_as_it_is_given(gvisor: GvisorBench) -> None:
    assert bare(gvisor.engine, THREAD, under(shipped_profile(), "runsc").text) == "ran\n"


def test_select_is_not_refused_under_the_profile_as_it_is_given(gvisor: GvisorBench) -> None:
    """gVisor has pselect6 under another name."""
    program = "import os, select; r, w = os.pipe(); os.write(w, b'x'); print(select.select([r], [], [], 1)[0] == [r])"
    before = forms_under(shipped_profile(), "runsc")[1]
    assert bare(gvisor.engine, program, under(shipped_profile(), "runsc").text) == "True\n"
    assert "not permitted" in bare(gvisor.engine, program, before.text)


@pytest.mark.parametrize("control", OCCURS)
def test_an_exception_that_is_named_occurs(
    gvisor: GvisorBench, attempts: Any, control: str
) -> None:
    assert OCCURS[control](gvisor, attempts), f"{control}: take it out of the table"


def test_every_exception_that_is_named_is_looked_for() -> None:
    assert {one.control for one in departures("runsc")} == set(OCCURS)
    assert departures("runc") == ()


# --- what cannot be held is refused beforehand ----------------------------------------------


def engine_with(*args: str) -> dict[str, Any]:
    return {"Runtimes": {"runc": {}, "runsc": {"path": "runsc", "runtimeArgs": list(args)}}}


def test_an_engine_that_drops_profiles_or_has_no_gvisor_is_known() -> None:
    assert why_unusable(engine_with("--oci-seccomp")) == ""
    assert why_unusable(engine_with("-oci-seccomp=true", "--network=none")) == ""
    assert "drops seccomp profiles" in why_unusable(engine_with("--network=none"))
    assert "drops seccomp profiles" in why_unusable(engine_with("--oci-seccomp=false"))
    assert "drops seccomp" in why_unusable(engine_with("--oci-seccomp", "--oci-seccomp=false"))
    assert "disk quota" in why_unusable(engine_with("--oci-seccomp", "--overlay2=all:/var/tmp"))
    assert "disk quota" in why_unusable(engine_with("--oci-seccomp", "--overlay"))
    assert why_unusable(engine_with("--oci-seccomp", "--overlay2=root:self")) == ""
    assert "the engine has runc" in why_unusable({"Runtimes": {"runc": {}}})


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("inside Seccomp", "0"),
        ("inside CapEff", "0000000000000001"),
        ("inside CapBnd", None),
        ("inside Uid", "0 0 0 0"),
        ("user namespace", "the host's"),
        ("NoNewPrivs", "0"),
        ("own net namespace", "no"),
        ("limit memory", "no limit"),
    ],
)
def test_a_container_of_gvisors_with_a_right_too_many_is_not_started(
    attempts: Any, fact: str, value: str | None
) -> None:
    """``None``: it is not said at all."""
    limits = replace(LIMITS, runtime="runsc", user=USER, pids=160, memory=LIMITS.memory + 64 * MIB)
    seen = tuple(pair for pair in attempts[1].seen if pair[0] != fact)
    check_kernel_view(attempts[1].seen, limits)
    with pytest.raises(SandboxFailed, match=fact):
        check_kernel_view((*seen, (fact, value)) if value is not None else seen, limits)


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        ({"pids": 95}, "resources.pids"),
        ({"gpus": 1, "gpu_memory": MIB}, "gpus"),
        ({"network": ("a.org:443",)}, "network"),
    ],
)
def test_what_gvisor_cannot_hold_is_refused(
    gvisor: GvisorBench, limits: dict[str, Any], key: str
) -> None:
    asked = replace(LIMITS, runtime="runsc", pids=128)
    asked = replace(asked, **limits)
    with pytest.raises(ControlUnavailable, match=f"asks for {key}"):
        check_engine(gvisor.engine, asked)


def test_the_same_is_found_in_a_policy_with_its_line(tmp_path: Path) -> None:
    few = tmp_path / "few.yaml"
    few.write_text(
        "version: 1\nname: few\ndescription: Too few.\nextends: strict\n"
        "experiment: {resources: {pids: 95}}\n"
    )
    (found,) = check(load_policy(str(few), shipped_root() / "policies"))
    assert "few.yaml:5:26" in found.where
    assert "the threads of runsc" in found.what


def test_the_set_up_leaves_an_engine_of_somebody_elses_alone_and_says_how() -> None:
    elsewhere = os.environ | {"DOCKER_HOST": "unix:///nowhere.sock"}
    script = shipped_root() / "scripts" / "setup-gvisor.sh"
    ended = subprocess.run([script], env=elsewhere, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert "an engine of your own" in ended.stdout
    assert "--oci-seccomp" in ended.stdout


def test_the_set_up_has_nothing_to_do_where_gvisor_is_there(
    gvisor: GvisorBench,  # noqa: ARG001  # or it is skipped
) -> None:
    script = shipped_root() / "scripts" / "setup-gvisor.sh"
    ended = subprocess.run([script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_explaining_a_policy_under_gvisor_names_every_exception() -> None:
    shipped_in = shipped_root() / "policies"
    assert departing(load_policy("strict", shipped_in)) == departures("runsc")
    assert departing(load_policy("ci-cpu", shipped_in)) == ()


def test_a_whole_run_goes_under_strict_from_idea_to_paper(
    gvisor: GvisorBench,  # noqa: ARG001  # or it is skipped
    tmp_path: Path,
) -> None:
    command = ("run", "./tests/data/quick", "--scale", "smoke", "--policy", "strict")
    aisci = [sys.executable, "-m", "cli", *command, "--results", str(tmp_path)]
    ended = subprocess.run(aisci, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert len(list(tmp_path.rglob("*.pdf"))) >= 1
    runtimes = {
        line.split('"runtime":"', 1)[1].split('"', 1)[0]
        for journal in tmp_path.rglob("journal.jsonl")
        for line in journal.read_text().splitlines()
        if '"attestation":{' in line
    }
    assert runtimes == {"runsc"}
