"""stress-ng inside the sandbox, and the looks at the host and at a neighbour meanwhile."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.core.job import JobResult, Limits
from orchestrator.sandbox.engine.client import Engine, NotFound
from orchestrator.sandbox.images.build import PROXY_VARIABLES
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.job.cgroup import Cgroup, CgroupSample
from orchestrator.sandbox.job.session import Session
from tests.contracts.sandbox import Scenario, job_of
from tests.support.sandbox_rig import DockerBench, nameless_loops

NAME = "aisci-test-stress"
_RECIPE = """ARG BASE
FROM ${BASE}
USER 0:0
RUN apt-get update && apt-get install -y --no-install-recommends stress-ng \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/*
"""


def image(engine: Engine) -> str:
    """The trusted helper's image and Debian's stress-ng; made anew where that image changed."""
    base = resolve_image(engine, "aisci-storage")
    name = f"{NAME}:{base.removeprefix('sha256:')[:12]}"
    try:
        engine.images.get(name)
    except NotFound:
        for old in engine.images.list(NAME):
            engine.images.remove(str(old.id), force=True)
        proxies = {key: os.environ[key] for key in PROXY_VARIABLES if os.environ.get(key)}
        said = engine.api.build(
            fileobj=io.BytesIO(_RECIPE.encode()), tag=name, rm=True, forcerm=True, decode=True,
            buildargs=proxies | {"BASE": base},
        )  # fmt: skip
        errors = [answer["error"] for answer in said if "error" in answer]
        assert not errors, errors
    return name


@dataclass(slots=True)
class Host:
    """The machine and one job's container, looked at while it runs: the least and the most seen."""

    engine: Engine
    prefix: str  # of the names of our volumes
    free_disk: int = 1 << 62
    free_memory: int = 1 << 62
    processes: int = 0
    job: CgroupSample = field(default_factory=CgroupSample)  # the kernel's books of the container
    shm: int = 0  # bytes in the container's /dev/shm
    files: int = 0  # open at once in one of its processes
    loops: set[str] = field(default_factory=set)
    _pid: int = 0
    _meter: Cgroup | None = None

    def told(self, what: str, facts: Mapping[str, object]) -> None:
        """Hears of the sandbox when the job's container has been started."""
        if what == "started":
            found = self.engine.api.inspect_container(str(facts["container"]))
            self._pid = found["State"]["Pid"]
            self._meter = Cgroup.of(self._pid, found["Id"])

    def look(self) -> None:
        self.free_disk = min(self.free_disk, shutil.disk_usage("/").free)
        self.free_memory = min(self.free_memory, available())
        self.processes = max(self.processes, sum(1 for _ in Path("/proc").glob("[0-9]*")))
        self._look_at_loops()
        with contextlib.suppress(OSError, ValueError):  # it has just ended
            self._look_into()

    def _look_at_loops(self) -> None:
        """Devices that our volumes are mounted from, as the kernel lists them."""
        rows = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        devices = {row[-2] for row in rows if f"/{self.prefix}-" in row[4]}
        self.loops |= {line for line in nameless_loops() if line.partition(":")[0] in devices}

    def _look_into(self) -> None:
        sample = self._meter.sample() if self._meter else None
        if self._meter is None or sample is None:
            return
        self.job = CgroupSample(
            memory=max(self.job.memory, sample.memory), pids=max(self.job.pids, sample.pids)
        )
        shm = os.statvfs(f"/proc/{self._pid}/root/dev/shm")
        self.shm = max(self.shm, (shm.f_blocks - shm.f_bfree) * shm.f_frsize)
        folders = self._meter.folders
        inside = (folders.get("pids") or folders[""]) / "cgroup.procs"
        for pid in inside.read_text().split()[:12]:
            with contextlib.suppress(OSError):
                self.files = max(self.files, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))


def available() -> int:
    """Bytes of memory that the kernel could give to programs now."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


@contextmanager
def looked_at(host: Host) -> Iterator[None]:
    """Look five times a second, in a thread."""
    over = threading.Event()

    def looks() -> None:
        while not over.wait(0.2):
            host.look()

    thread = threading.Thread(target=looks)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        host.look()


# Each beat takes a process, memory, a file and CPU: whatever a stressor next door could take away.
BEATS = Scenario(
    """
import hashlib, os, select, sys
beats = 0
while not select.select([sys.stdin], [], [], 0.1)[0]:
    child = os.fork()
    if child == 0: os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    data = os.urandom(1 << 16) * 64
    with open('beat.new', 'wb') as file: file.write(data)
    os.replace('beat.new', 'beat')
    with open('beat', 'rb') as file: assert hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest()
    beats += 1
    print(beats, flush=True)
"""
)


class Neighbour:
    """A job beside the stressed one that works until told to stop; ``beats`` is how far it is."""

    def __init__(self, session: Session) -> None:
        self._session, self.beats, self._over = session, 0, threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            line = self._session.receive(0.2)
            self.beats = int(line) if line else self.beats

    def finish(self) -> JobResult:
        """Tell it to stop; how it ended."""
        self._over.set()
        self._thread.join()
        return self._session.finish()


@contextmanager
def neighbour(bench: DockerBench, limits: Limits) -> Iterator[Neighbour]:
    """Under the same limits; it has begun to work."""
    job = replace(job_of(bench, BEATS, scope="stress/neighbour"), limits=limits, harvest=())
    with bench.sandbox.open(job) as session:
        one = Neighbour(session)
        try:
            until = time.monotonic() + 60
            while one.beats == 0 and time.monotonic() < until:
                time.sleep(0.05)
            yield one
        finally:
            one._over.set()
            one._thread.join()


def bare(engine: Engine, name: str, *argv: str) -> tuple[int, str]:
    """Exit code and words of ``argv`` where only amounts are limited, and no system call is refused."""
    made = engine.containers.create(
        name, list(argv), user="65534:65534", network_mode="none", mem_limit="256m", pids_limit=64,
        cap_drop=["ALL"], security_opt=["seccomp=unconfined"], working_dir="/tmp",
    )  # fmt: skip
    try:
        made.start()
        code: int = made.wait(timeout=60)["StatusCode"]
        return code, made.logs().decode()
    finally:
        made.remove(force=True)
