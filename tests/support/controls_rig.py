"""For tests that try to break a control: the same program in the sandbox, and in a bare container.

What a control stops must succeed where the control is missing, else the attempt shows nothing.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from typing import Any

from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind, Job, JobResult, Limits
from orchestrator.core.tree import Tree, digest
from orchestrator.policy.policy import load_policy
from orchestrator.sandbox.engine.client import Engine
from tests.contracts.sandbox import MIB
from tests.support.sandbox_rig import DockerBench

PRELUDE = """
import ctypes, json, os, resource, socket, sys, time
libc, seen = ctypes.CDLL(None, use_errno=True), {}
def attempt(name, work):
    "Note what `work` gave, or the words of the error that stopped it."
    try: got = work()
    except (OSError, ValueError) as error: seen[name] = getattr(error, "strerror", None) or str(error)
    else: seen[name] = got if isinstance(got, (int, str, list, dict)) else "done"
def call(result):
    "A C function's result; its errno as an error."
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"
"""


def limits_of(kind: ContainerKind, **changes: Any) -> Limits:
    """The shipped block of ``ci-cpu`` for that kind of container, its sizes and times scaled down."""
    limits = load_policy("ci-cpu", shipped_root() / "policies").limits(kind)
    scaled = replace(
        limits, memory=256 * MIB, shm=8 * MIB, tmp=8 * MIB, workspace=16 * MIB, file=12 * MIB,
        inodes=512, wall=60.0, cpu_time=60.0, grace=1.0, harvest_bytes=8 * MIB, harvest_file=4 * MIB,
        logs=MIB,
    )  # fmt: skip
    return replace(scaled, **changes)


def job(
    bench: DockerBench, program: str, limits: Limits, *, kind: ContainerKind = "experiment"
) -> Job:
    """A job that runs ``program`` after :data:`PRELUDE`."""
    code = (PRELUDE + textwrap.dedent(program)).encode()
    return Job(
        scope=f"controls/{kind}/{digest(program)[:12]}",
        kind=kind,
        argv=("python3", "main.py"),
        files=Tree.of({"main.py": bench.blobs.put(code)}),
        limits=limits,
        harvest=("run_1/",),
    )


def held(
    bench: DockerBench, program: str, limits: Limits, *, kind: ContainerKind = "experiment"
) -> dict[str, Any]:
    """What each attempt came to in the sandbox; the program must have run to its end."""
    result = bench.sandbox.run(job(bench, program, limits, kind=kind))
    assert result.ok, (result.verdict, result.stderr)
    return last_line(result)


def last_line(result: JobResult) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def bare(engine: Engine, image: str, program: str, **options: Any) -> dict[str, Any]:
    """The same in a container that has only what ``options`` say; removed at its end."""
    made = engine.containers.create(
        image, ["-c", PRELUDE + textwrap.dedent(program)], entrypoint=["python3"], **options
    )
    try:
        made.start()
        code, said = made.wait()["StatusCode"], made.logs(stderr=False).decode()
        assert code == 0, made.logs().decode()
    finally:
        made.remove(force=True)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found
