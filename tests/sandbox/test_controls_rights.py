"""No privilege is to be had in any container: each attempt is stopped here, and works in a bare one."""

from __future__ import annotations

import io
import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestrator.core.job import ContainerKind
from orchestrator.sandbox.images.images import resolve
from tests.support.controls_rig import bare, held, limits_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine

KINDS: tuple[ContainerKind, ...] = ("experiment", "latex", "editor")

# Every attempt ends as a value of ``seen``: "done", or the words of the error.
ATTEMPTS = """
    def write(path, text="x"):
        with open(path, "w") as file: file.write(text)
    CLONE = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000}
    for path in ("/x", "/etc/x", "/usr/x", "/dev/x", "/var/x"):
        attempt("write " + path, lambda: write(path))
    attempt("write /proc/sys", lambda: write("/proc/sys/kernel/hostname"))
    attempt("spare itself from the memory killer", lambda: write("/proc/self/oom_score_adj", "-1000"))
    attempt("mknod", lambda: os.mknod("/tmp/null", 0o20666, os.makedev(1, 3)))
    attempt("mount", lambda: call(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)))
    attempt("umount", lambda: call(libc.umount2(b"/tmp", 2)))
    attempt("chroot", lambda: os.chroot("/"))
    attempt("hostname", lambda: socket.sethostname("x"))
    attempt("setuid", lambda: os.setuid(0))
    attempt("setgroups", lambda: os.setgroups([0]))
    attempt("chown", lambda: (write("/tmp/own"), os.chown("/tmp/own", 0, 0)))
    attempt("nice", lambda: os.nice(-5))
    attempt("core size", lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)))
    attempt("open files", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 14, 1 << 14)))
    attempt("file size", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 50, 1 << 50)))
    attempt("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close())
    attempt("packet socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3).close())
    for name, flag in CLONE.items():
        def enter():
            pid = os.fork()
            if pid == 0: os._exit(ctypes.get_errno() if libc.unshare(flag) else 0)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if code: raise OSError(code, os.strerror(code))
        attempt("unshare " + name, enter)
    def dumps():
        pid = os.fork()
        if pid == 0: os.chdir("/tmp"); os.abort()
        if not os.WCOREDUMP(os.waitpid(pid, 0)[1]): raise OSError(1, "no core was dumped")
    attempt("core dump", dumps)
    print(json.dumps(seen))
    """
STOPPED = {
    "Operation not permitted",
    "Permission denied",
    "Read-only file system",
    "No such file or directory",
    "No such device or address",
    "Address family not supported by protocol",
    "not allowed to raise maximum limit",
    "no core was dumped",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("rights")
    with docker_bench(folder, f"rights-{folder}") as bench:
        yield bench


@pytest.mark.parametrize("kind", KINDS)
def test_no_privilege_is_to_be_had(bench: DockerBench, kind: ContainerKind) -> None:
    seen = held(bench, ATTEMPTS, limits_of(kind), kind=kind)
    assert {name: words for name, words in seen.items() if words not in STOPPED} == {}
    assert len(seen) == 26


def test_each_of_these_attempts_works_in_a_container_without_the_controls(
    bench: DockerBench,
) -> None:
    """But for two, which take more than any test should be given: all of /proc/sys, and a right
    that a machine inside another often lacks itself.
    """
    seen = bare(
        bench.engine,
        resolve(bench.engine, "aisci-storage"),
        ATTEMPTS,
        network_mode="none",
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        cap_add=["SYS_ADMIN", "SYS_NICE"],
        tmpfs={"/tmp": ""},
        ulimits=[
            {"Name": "core", "Soft": 1 << 20, "Hard": 1 << 20},
            {"Name": "nofile", "Soft": 1024, "Hard": 1 << 14},
        ],
    )
    stopped = {name for name, words in seen.items() if words in STOPPED}
    assert stopped <= {"write /proc/sys", "spare itself from the memory killer"}


CORE = """
    NEW = (ctypes.c_ulong * 2)(0, 0)
    def prlimit(which): return lambda: call(libc.syscall(302, 0, ctypes.c_ulong(which), NEW, None))
    def setrlimit(which): return lambda: call(libc.syscall(160, ctypes.c_ulong(which), NEW))
    attempt("limits", lambda: list(resource.getrlimit(resource.RLIMIT_CORE)))
    attempt("prlimit", prlimit(4))
    attempt("prlimit, more than the kernel reads", prlimit(4 | 1 << 32))
    attempt("setrlimit", setrlimit(4))
    attempt("setrlimit, more than the kernel reads", setrlimit(4 | 1 << 32))
    for which in range(16):
        soft, hard = resource.getrlimit(which)
        attempt("again %d" % which, lambda: resource.setrlimit(which, (soft, hard)))
    attempt("limits afterwards", lambda: list(resource.getrlimit(resource.RLIMIT_CORE)))
    print(json.dumps(seen))
    """


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the calls' numbers are x86-64's")
def test_the_core_limit_stays_at_one_where_a_crash_starts_no_program_of_the_hosts(
    bench: DockerBench,
) -> None:
    """core(5): at 1 a crash handler behind a pipe is not run; at 0, which it stops at, it is."""
    seen = held(bench, CORE, limits_of("experiment"))
    refused = {name for name, words in seen.items() if words == "Operation not permitted"}
    calls = {name for name in seen if "rlimit" in name}
    assert refused == calls
    assert len(calls) == 4
    assert {name for name in seen if name.startswith("again") and seen[name] != "done"} == {
        "again 4"
    }
    assert seen["limits"] == seen["limits afterwards"] == [1, 1]
    without = bare(
        bench.engine,
        resolve(bench.engine, "aisci-storage"),
        CORE,
        network_mode="none",
        security_opt=["seccomp=unconfined"],
        ulimits=[{"Name": "core", "Soft": 1, "Hard": 1}],
    )
    assert {without[name] for name in calls} == {"done"}
    assert without["limits afterwards"] == [0, 0]


CLIMB = """
    import subprocess
    print(json.dumps({"as": subprocess.check_output(
        ["/usr/bin/climb", "-c", "import os; print(os.geteuid())"], text=True).strip()}))
    """


@contextmanager
def climbing(bench: DockerBench) -> Iterator[str]:
    """An image with a set-user-id program; the shipped ones hold none. The bench runs jobs on it."""
    made = bench.engine.containers.run(
        resolve(bench.engine, "aisci-storage"),
        [
            "-c",
            "cp $(readlink -f $(command -v python3)) /usr/bin/climb && chmod 4755 /usr/bin/climb",
        ],
        entrypoint=["/bin/sh"],
        detach=True,
    )
    tag = f"aisci-test-climb-{uuid.uuid4().hex[:12]}"
    kept, sandbox = bench.sandbox, bench.sandbox.keeping_in(bench.blobs)
    try:
        assert made.wait()["StatusCode"] == 0
        made.commit(repository=tag)
        image = str(bench.engine.images.get(tag).id)
        sandbox._images = lambda _: image
        bench.sandbox = sandbox
        yield image
    finally:
        bench.sandbox = kept
        made.remove(force=True)
        bench.engine.images.remove(tag, force=True)


def test_a_program_with_the_set_user_id_bit_runs_as_its_caller(bench: DockerBench) -> None:
    with climbing(bench) as image:
        assert held(bench, CLIMB, limits_of("experiment")) == {"as": "65534"}
        without = bare(bench.engine, image, CLIMB, user="65534:65534", network_mode="none")
    assert without == {"as": "0"}


@pytest.mark.parametrize("name", ["aisci-sandbox:cpu", "aisci-latex", "aisci-editor"])
def test_a_shipped_image_holds_no_program_that_grants_rights(bench: DockerBench, name: str) -> None:
    found = bare(
        bench.engine,
        resolve(bench.engine, name),
        """
        grants = []
        for folder, _, names in os.walk("/"):
            if folder.startswith(("/proc", "/sys")): continue
            for path in (os.path.join(folder, name) for name in names):
                try: status = os.lstat(path)
                except OSError: continue
                if status.st_mode & 0o6000: grants.append(path)
                elif os.path.isfile(path) and not os.path.islink(path):
                    if "security.capability" in os.listxattr(path): grants.append(path)
        print(json.dumps({"grants": grants}))
        """,
        network_mode="none",
        user="root",
    )
    assert found == {"grants": []}


def test_no_more_files_are_open_than_the_policy_says(bench: DockerBench) -> None:
    opens = """
        held = []
        try:
            for _ in range(3000): held.append(open("/dev/null"))
        except OSError as error: why = error.strerror
        else: why = ""
        count = len(held); held.clear()
        print(json.dumps({"open": count, "why": why}))
        """
    seen = held(bench, opens, limits_of("experiment", open_files=128))
    assert seen["why"] == "Too many open files"
    assert 100 < seen["open"] < 128
    image = resolve(bench.engine, "aisci-storage")
    assert bare(bench.engine, image, opens, network_mode="none")["open"] == 3000


BURNS = """
    def throttled():
        for path in ("/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat"):
            if os.path.exists(path):
                return int(dict(line.split() for line in open(path))["nr_throttled"])
    began, before = time.monotonic(), throttled()
    children = [os.fork() for _ in range(2)]
    if 0 in children:
        while time.process_time() < 0.5: pass
        os._exit(0)
    for child in children: os.waitpid(child, 0)
    print(json.dumps({"seconds": time.monotonic() - began, "throttled": throttled() - before}))
    """


def test_no_more_of_the_cpus_is_had_than_the_policy_says(bench: DockerBench) -> None:
    """Two processes that want one CPU second: on half a CPU that is two seconds or more."""
    seen = held(bench, BURNS, limits_of("experiment", cpus=0.5))
    assert seen["seconds"] > 1.6
    assert seen["throttled"] > 5
    image = resolve(bench.engine, "aisci-storage")
    assert bare(bench.engine, image, BURNS, network_mode="none")["throttled"] == 0


CHECKED = """
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not os.path.exists("/tmp/checked"): time.sleep(0.1)
    print(json.dumps({"checked": os.path.exists("/tmp/checked")}))
    """


def test_no_health_check_of_an_image_runs_beside_a_job(bench: DockerBench) -> None:
    """The engine would run it before the host has seen the container, and as often as it says."""
    recipe = b"FROM aisci-storage\nHEALTHCHECK --interval=1s CMD touch /tmp/checked\n"
    engine, name = bench.engine, "aisci-test-checked"
    engine.images.build(fileobj=io.BytesIO(recipe), tag=name, rm=True)
    try:
        short, long = (CHECKED.replace("SECONDS", seconds) for seconds in ("4", "60"))
        assert held(bench, short, limits_of("experiment", image=name)) == {"checked": False}
        assert bare(engine, name, long, network_mode="none") == {"checked": True}  # at once
    finally:
        engine.images.remove(name, force=True)
