"""How long a container takes from nothing to gone, and to its first line: plain, hardened, as a job.

``python tests/support/start_bench.py SAMPLES`` prints one JSON line. All kinds take turns in one run, in
another order each time, so that a busy machine is busy for all of them; a kind is compared with
the plain container, or its first line, by the ratio of the medians. Those made ahead wait at their
gate when the clock starts.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.core.errors import AisciError
from orchestrator.core.job import Job
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.engine.stream import Stream
from orchestrator.sandbox.job.spec import WORKDIR, create_request, user_of
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.storage.helper import ATTACHED
from orchestrator.sandbox.storage.quota import BACKENDS, Quota
from tests.contracts.sandbox import Scenario, job_of
from tests.support.ahead_rig import AheadBench
from tests.support.sandbox_rig import DockerBench

NAME = "aisci-test-start"
RUNTIMES = ("runc", "runsc")
NOTHING = Scenario("pass")
SAYS = ("python3", "-I", "-c", "print('first', flush=True)")
TORCH = "aisci-sandbox:cpu"
IMPORTS = "import torch; print('first', flush=True)"
ALONE = "import torch, alone"
STARTS = """
import subprocess, sys
for _ in sys.stdin: print(subprocess.run([sys.executable, '-c', 'import torch']).returncode)
"""
_RESTS = 50_000_000  # nanoseconds of processor in a second: gVisor uses some while nothing runs


def main() -> None:
    samples = int(sys.argv[1])
    engine = connect()
    try:
        has = engine.info()["Runtimes"]
        print(
            json.dumps(
                [measure(engine, runtime, samples) for runtime in RUNTIMES if runtime in has]
            )
        )
    finally:
        engine.close()


def measure(engine: Engine, runtime: str, samples: int) -> dict[str, Any]:
    """Every kind ``samples`` times; seconds as medians and quartiles, and ratios to plain."""
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, kinds(engine, runtime, Path(folder)) as known:
        order = list(known)
        for _ in range(samples + 1):  # the first round warms up, and is not counted
            random.shuffle(order)
            for kind in order:
                known[kind].ready()
                began = time.perf_counter()
                known[kind].timed()
                taken.setdefault(kind, []).append(time.perf_counter() - began)
                known[kind].after()
    middle = {kind: statistics.median(seconds[1:]) for kind, seconds in taken.items()}
    return {
        "runtime": runtime,
        "samples": samples,
        "kinds": {kind: row(taken[kind][1:], middle[plain_of(kind)]) for kind in known},
    }


def plain_of(kind: str) -> str:
    """What a kind is compared with."""
    if "import torch" in kind:
        return ALONE
    return "first line, plain" if kind.startswith("first line") else "plain container"


def row(seconds: list[float], plain: float) -> dict[str, float]:
    """Median and quartiles in seconds, and the median's ratio to the plain container's."""
    low, middle, high = statistics.quantiles(seconds, n=4)
    return {
        "median": round(middle, 3),
        "quartiles": [round(low, 3), round(high, 3)],  # type: ignore[dict-item]  # JSON
        "ratio": round(middle / plain, 2),
    }


@dataclass(frozen=True)
class Kind:
    """What is timed; before it, what has to be there; after it, what it leaves to do."""

    timed: Callable[[], None]
    ready: Callable[[], object] = lambda: None
    after: Callable[[], None] = lambda: None


@contextmanager
def kinds(engine: Engine, runtime: str, folder: Path) -> Iterator[dict[str, Kind]]:
    """What is compared, by name; backends that this machine does not have are left out."""
    with ExitStack() as undo:
        found: dict[str, Kind] = {}
        torch = AheadBench(engine, folder / "torch")
        undo.enter_context(torch.pool)
        bench = undo.enter_context(opened(engine, folder, BACKENDS))
        job = job_of(bench, NOTHING, runtime=runtime, pids=256)  # runsc needs many of its own
        image = bench.depot.image()
        bare = {"Runtime": runtime, "NetworkMode": "none"}  # a bridge would only make it slower
        plain = {"Image": image, "Cmd": ["true"], "HostConfig": bare}
        found["plain container"] = Kind(partial(once, engine, plain))
        found["hardened container"] = Kind(lambda: once(engine, hardened(job, image, "")))
        found["first line, plain"] = plain_line(engine, plain | {"Cmd": list(SAYS)})
        for backend in BACKENDS:
            own = undo.enter_context(opened(engine, folder, (backend,)))
            try:
                own.depot.volumes.probe(backend)
            except AisciError:
                continue
            found[f"hardened, volume on {backend}"] = Kind(partial(on_volume, own, job, image))
            found[f"whole job on {backend}"] = Kind(partial(whole, own, job))
            found[f"first line, job on {backend}"] = first_line(own.sandbox, job)
            made = AheadBench(engine, folder, (backend,))
            undo.enter_context(made.pool)
            whole(made, job)
            found[f"whole job, made ahead on {backend}"] = Kind(
                partial(whole, made, job), made.ready
            )
            found[f"first line, made ahead on {backend}"] = first_line(
                made.sandbox, job, made.ready
            )
        found |= after_an_import(torch, runtime, undo)
        yield found


def after_an_import(bench: AheadBench, runtime: str, undo: ExitStack) -> dict[str, Kind]:
    """Until a program has imported PyTorch: a new process of a container that runs, and jobs that do it or find it done."""
    job = job_of(
        bench, Scenario(IMPORTS), runtime=runtime, image=TORCH, memory=1 << 30, wall=60.0, pids=256
    )
    preloaded = replace(job, preload=("torch",))
    whole(bench, preloaded)
    image = {"Image": TORCH, "Cmd": ["python", "-c", IMPORTS]}
    plain = image | {"HostConfig": {"Runtime": runtime, "NetworkMode": "none"}}
    runs = ("python", "main.py")
    return {
        ALONE: Kind(partial(alone, undo.enter_context(running(bench.engine, image, runtime)))),
        "import torch, plain container": plain_line(bench.engine, plain),
        "import torch, job": first_line(bench.sandbox, job, argv=runs),
        "import torch, preloaded": first_line(
            bench.sandbox, preloaded, partial(imported, bench, "torch"), runs
        ),
    }


@contextmanager
def running(engine: Engine, image: dict[str, Any], runtime: str) -> Iterator[Stream]:
    """A plain container that starts a process for each line that it reads, and answers at its end."""
    host = {"HostConfig": {"Runtime": runtime, "NetworkMode": "none"}}
    made = create_container(
        engine, image | host | ATTACHED | {"Cmd": ["python", "-c", STARTS]}, f"{NAME}-runs"
    )
    try:
        stream = Stream(engine, made)
        try:
            engine.api.start(made)
            yield stream
        finally:
            stream.close()
    finally:
        remove_container(engine, made)


def alone(stream: Stream) -> None:
    stream.send(b"\n")
    said = b""
    while b"0" not in said:
        said += b"".join(data for _, data in stream.read(60.0))


def imported(bench: AheadBench, module: str) -> None:
    """Wait until what is preloaded with ``module`` no longer uses the processor."""
    (waiting,) = [one for one in bench.ready() if module in one.shape.preload]
    used, before = 0, -_RESTS
    while used - before >= _RESTS:
        time.sleep(1.0)
        stats = bench.engine.api.stats(waiting.container, stream=False, one_shot=True)
        before, used = used, stats["cpu_stats"]["cpu_usage"]["total_usage"]


@contextmanager
def opened(engine: Engine, folder: Path, backends: tuple[str, ...]) -> Iterator[DockerBench]:
    bench = DockerBench(engine, folder, f"start-{'-'.join(backends)}", backends)
    with bench.sandbox.pool:
        yield bench


def hardened(job: Job, image: str, volume: str) -> dict[str, Any]:
    """The settings of a job's container, for a program that needs no gate; no volume if none."""
    body = create_request(job, image=image, volume=volume or "none", labels={}, duplex=False)
    host = dict(body["HostConfig"])
    if not volume:
        host["Mounts"] = []
        host["Tmpfs"] = {**host["Tmpfs"], WORKDIR: "size=1m"}
    plain = {"Entrypoint": [], "Cmd": ["true"], "OpenStdin": False, "StdinOnce": False}
    return {**body, **plain, "AttachStdin": False, "HostConfig": host}


def once(engine: Engine, body: dict[str, Any]) -> None:
    """Create, start, wait, remove; a program that does not end well is no sample."""
    made = create_container(engine, body, NAME)
    try:
        engine.api.start(made)
        assert engine.api.wait(made)["StatusCode"] == 0
    finally:
        remove_container(engine, made)


def on_volume(bench: DockerBench, job: Job, image: str) -> None:
    uid, gid = user_of(job.limits)
    quota = Quota(bytes=job.limits.workspace, inodes=job.limits.inodes, uid=uid, gid=gid)
    with bench.depot.volumes.lent(job.id, job.limits, quota) as (volume, _keeper, _backend):
        once(bench.engine, hardened(job, image, volume))


def whole(bench: DockerBench | AheadBench, job: Job) -> None:
    assert bench.sandbox.run(replace(job, argv=("true",))).ok


def first_line(
    sandbox: DockerSandbox,
    job: Job,
    ready: Callable[[], object] = lambda: None,
    argv: tuple[str, ...] = SAYS,
) -> Kind:
    """Until the first line of a job's program is read; then it ends."""
    opened = list[ExitStack]()

    def timed() -> None:
        opened.append(ExitStack())
        session = opened[-1].enter_context(sandbox.open(replace(job, argv=argv), duplex=False))
        while "first" not in session.printed():
            time.sleep(0.001)

    return Kind(timed, ready, lambda: opened.pop().close())


def plain_line(engine: Engine, body: dict[str, Any]) -> Kind:
    """The same of a plain container."""
    opened = list[tuple[str, Stream]]()

    def timed() -> None:
        made = create_container(engine, body | ATTACHED, NAME)
        stream = Stream(engine, made)
        opened.append((made, stream))
        engine.api.start(made)
        said = b""
        while b"first" not in said:
            said += b"".join(data for _, data in stream.read(1.0))

    def after() -> None:
        made, stream = opened.pop()
        stream.close()
        remove_container(engine, made)

    return Kind(timed, after=after)


if __name__ == "__main__":
    main()
