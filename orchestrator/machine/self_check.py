"""Tests for the doctor: a real hardened job on each runtime, and each storage backend's quota."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from orchestrator.core.errors import AisciError, ControlUnavailable
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Host, Tried
from orchestrator.core.job import Attestation, Job
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy
from orchestrator.policy.values import RUNTIMES
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.resources import RunResources, SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.storage.quota import BACKENDS

_IMAGE = "aisci-storage"  # the smallest image with a Python; every job needs it


def run_self_check(engine: Engine, host: Host, say: Callable[[str], None]) -> Host:
    """``host`` with the results of trying its runtimes and backends; ``say`` gets each step."""
    try:
        resolve_image(engine, _IMAGE)
    except AisciError as error:
        return _untried(host, error)
    with SandboxPool(
        engine, f"doctor-{secrets.token_hex(4)}", partial(resolve_image, engine), policy="doctor"
    ) as pool:
        runtimes = []
        for runtime in _known(host):
            if runtime.state == "listed" and runtime.name in RUNTIMES:
                say(f"a hardened job on {runtime.name}")
                runtime, host = _try_runtime(pool, runtime.name, host)  # noqa: PLW2901
            runtimes.append(runtime)
        storage = []
        for name in BACKENDS:
            say(f"writing past a quota on {name}")
            storage.append(_backend(pool.resources, name))
    return replace(host, runtimes=tuple(runtimes), storage=tuple(storage))


def _untried(host: Host, error: AisciError) -> Host:
    """The host where nothing could be tried, for lack of the image that every job needs."""
    why = f"not tried: {error.what}"
    runtimes = tuple(replace(one, why=why) if one.name in RUNTIMES else one for one in _known(host))
    storage = tuple(Tried(name, "listed", why) for name in BACKENDS)
    return replace(host, runtimes=runtimes, storage=storage, trial_todo=error.todo)


def _known(host: Host) -> Iterator[Tried]:
    """Every runtime that a policy can name, then the others that the engine has."""
    for name in RUNTIMES:
        runtime = host.runtime(name)
        yield runtime if runtime.state == "listed" else Tried(name, "absent", "the engine has none")
    for runtime in host.runtimes:
        if runtime.name not in RUNTIMES:
            why = "the engine has it, but aisci does not test it, so no policy can name it"
            yield Tried(runtime.name, "listed", why)


def _try_runtime(pool: SandboxPool, runtime: str, host: Host) -> tuple[Tried, Host]:
    """Try one runtime; the attestation of runc's job describes the machine."""
    try:
        held = _run_job(pool, runtime)
    except AisciError as error:
        why = _error_text(error)
        if runtime == "runc":
            return Tried(runtime, "failed", why), replace(host, trial_todo=error.todo)
        return Tried(runtime, "failed", "; ".join(filter(None, (why, error.todo)))), host
    why = f"a hardened job ran as asked: {len(held.inspected)} settings read back the same, "
    why += f"{len(held.seen) - len(held.unread)} seen in its process"
    return Tried(runtime, "tested", why), replace(host, trial=held) if runtime == "runc" else host


def _run_job(pool: SandboxPool, runtime: str) -> Attestation:
    """Run a job that prints a word, under the policy ci-cpu; raises what the sandbox raises."""
    limits = load_policy("ci-cpu", shipped_root() / "policies").limits("experiment")
    job = Job(
        scope=f"doctor/{runtime}",
        kind="experiment",
        argv=("python3", "-c", "print('held')"),
        files=Tree(),
        limits=replace(limits, runtime=runtime, image=_IMAGE),
        harvest=(),
    )
    with tempfile.TemporaryDirectory(prefix="aisci-doctor-") as folder:
        result = DockerSandbox(pool, BlobStore(Path(folder))).run(job)
    if not result.ok or result.stdout.strip() != "held":
        raise AisciError(
            f"a job that prints one word ended as: {result.verdict}",
            where=f"runtime {runtime}",
            why=result.stderr[-400:],
            todo="see docs/sandbox.md; report it with the output of `aisci doctor --json`",
        )
    return result.attestation


def _backend(resources: RunResources, name: str) -> Tried:
    """Try a storage backend: write past a small volume's quota in bytes and in inodes."""
    try:
        resources.volumes.probe(name)
    except AisciError as error:
        absent = isinstance(error, ControlUnavailable)
        return Tried(name, "absent" if absent else "failed", _error_text(error))
    return Tried(name, "tested", "a small volume was written full; its bytes and inodes held")


def _error_text(error: AisciError) -> str:
    return ": ".join(filter(None, (error.what.rstrip("."), error.why)))
