"""Looking at this machine for the doctor: its engine, its room, and one real job in a container."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import AisciError, EngineUnavailable
from orchestrator.blobs import BlobStore
from orchestrator.doctor import Seen
from orchestrator.edges.engine import Engine, connect, translated
from orchestrator.edges.gpu import Driver
from orchestrator.edges.images import list_images, resolve
from orchestrator.edges.machine import measure
from orchestrator.edges.reap import leftovers
from orchestrator.edges.sandbox import DockerSandbox
from orchestrator.paths import shipped_root
from orchestrator.policy import load
from orchestrator.records import Attestation, Job, Tree

TRIAL = ("python3", "-c", "print('held')")


def look(results: Path) -> Seen:
    """Everything that the doctor judges; ``results`` is where runs are to be kept."""
    there = next(path for path in (results, *results.absolute().parents) if path.is_dir())
    machine = measure(there)
    gpus = tuple(f"{gpu.uuid} ({gpu.memory >> 30} GiB)" for gpu in Driver().devices())
    bare = Seen(engine=None, cpus=machine.cpus, memory=_available(), disk=machine.disk, gpus=gpus)
    try:
        engine = connect()
    except EngineUnavailable as error:
        return replace(bare, why=f"{error.what} {error.why}".strip(), todo=error.todo)
    try:
        return _with_engine(engine, bare)
    finally:
        engine.close()


def _with_engine(engine: Engine, bare: Seen) -> Seen:
    with translated("asking the engine what it is"):
        info: dict[str, Any] = engine.api.info()
        version: dict[str, Any] = engine.api.version()
    seen = replace(
        bare,
        engine={
            "name": str((version.get("Platform") or {}).get("Name") or "engine"),
            "version": str(version["Version"]),
            "api": str(version["ApiVersion"]),
            "kernel": str(info["KernelVersion"]),
            "cgroup": str(info.get("CgroupVersion", "1")),
            "cgroup driver": str(info["CgroupDriver"]),
            "storage": str(info["Driver"]),
        },
        runtimes=tuple(sorted(info["Runtimes"])),
        images=tuple((one.name, one.state) for one in list_images(engine)),
        leftovers=len(leftovers(engine)),
    )
    try:
        return replace(seen, trial=_trial(engine))
    except AisciError as error:
        why = f"{error.what} {error.why}".strip()
        return replace(seen, trial_why=why, trial_todo=error.todo)


def _trial(engine: Engine) -> Attestation:
    """One job that prints a word, under the policy ci-cpu; raises what the sandbox raises."""
    limits = load("ci-cpu", shipped_root() / "policies").limits("experiment")
    with tempfile.TemporaryDirectory(prefix="aisci-doctor-") as folder:
        store = BlobStore(Path(folder))
        with DockerSandbox(engine, store, "doctor", lambda name: resolve(engine, name)) as sandbox:
            job = Job(
                scope="doctor",
                kind="experiment",
                argv=TRIAL,
                files=Tree(),
                limits=limits,
                policy="doctor",
                harvest=(),
            )
            result = sandbox.run(job)
    if not result.ok or result.stdout.strip() != "held":
        raise AisciError(
            f"a job that prints one word ended as: {result.verdict}",
            why=result.stderr[-400:],
            todo="see docs/sandbox.md, or ask with this machine's `aisci doctor --json`",
        )
    return result.attestation


def _available() -> int:
    """Bytes of memory that can be had without swapping."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
