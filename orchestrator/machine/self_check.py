"""Trying, for the doctor: a real hardened job on each runtime, and each storage backend's quota."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from orchestrator.core.errors import AisciError, ControlUnavailable
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Host, Tried
from orchestrator.core.job import Attestation, Job
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.pool import SandboxPool
from orchestrator.sandbox.resources import RunResources
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.storage.quota import BACKENDS

POLICY_RUNTIMES = ("runc", "runsc")  # the runtimes that a policy can name
_IMAGE = "aisci-storage"  # the smallest of ours with a Python; it has to be there for any job
_PROGRAM = ("python3", "-c", "print('held')")
_NOT_OURS = (
    "the engine has it; no test of this version shows that it holds, so no policy can name it"
)


def run_self_check(engine: Engine, seen: Host, say: Callable[[str], None]) -> Host:
    """``seen``, with what was tried just now; ``say`` is told what is under way."""
    try:
        resolve_image(engine, _IMAGE)
    except AisciError as error:
        return _untried(seen, error)
    with _depot(engine) as depot:
        runtimes = []
        for one in _known(seen):
            if one.state == "listed" and one.name in POLICY_RUNTIMES:
                say(f"a hardened job on {one.name}")
                one, seen = _on(engine, depot, one.name, seen)  # noqa: PLW2901  # what was found of it
            runtimes.append(one)
        storage = []
        for name in BACKENDS:
            say(f"writing past a quota on {name}")
            storage.append(_backend(depot, name))
    return replace(seen, runtimes=tuple(runtimes), storage=tuple(storage))


def _untried(seen: Host, error: AisciError) -> Host:
    """Without the image that every job needs nothing can be tried, and nothing is called tried."""
    why = f"not tried: {error.what}"
    return replace(
        seen,
        runtimes=tuple(
            Tried(one.name, one.state, why) if one.name in POLICY_RUNTIMES else one
            for one in _known(seen)
        ),
        storage=tuple(Tried(name, "listed", why) for name in BACKENDS),
        trial_why=why,
        trial_todo=error.todo,
    )


def _known(seen: Host) -> Iterator[Tried]:
    """Every runtime that the engine names or a policy can, those that a policy can first."""
    for name in POLICY_RUNTIMES:
        there = seen.runtime(name)
        yield there if there.state == "listed" else Tried(name, "absent", "the engine has none")
    for one in seen.runtimes:
        if one.name not in POLICY_RUNTIMES:
            yield Tried(one.name, "listed", _NOT_OURS)


@contextmanager
def _depot(engine: Engine) -> Iterator[RunResources]:
    """What one check-up's jobs share, under a name that no other has; all of it is removed."""
    depot = RunResources(
        engine, f"doctor-{secrets.token_hex(4)}", lambda: resolve_image(engine, _IMAGE)
    )
    try:
        yield depot
    finally:
        depot.close()


def _on(engine: Engine, depot: RunResources, runtime: str, seen: Host) -> tuple[Tried, Host]:
    """One runtime tried; the attestation of runc's job is the machine's own."""
    try:
        held = _trial(engine, depot, runtime)
    except AisciError as error:
        why = _said(error)
        if runtime == "runc":
            return Tried(runtime, "failed", why), replace(
                seen, trial_why=why, trial_todo=error.todo
            )
        return Tried(runtime, "failed", f"{why}; {error.todo}" if error.todo else why), seen
    why = (
        f"a hardened job ran as asked: {len(held.inspected)} settings read back the same, "
        f"{len(held.seen)} seen in its process"
    )
    return Tried(runtime, "tested", why), replace(seen, trial=held) if runtime == "runc" else seen


def _trial(engine: Engine, depot: RunResources, runtime: str) -> Attestation:
    """One job that prints a word, under the policy ci-cpu; raises what the sandbox raises."""
    limits = load("ci-cpu", shipped_root() / "policies").limits("experiment")
    job = Job(
        scope=f"doctor/{runtime}",
        kind="experiment",
        argv=_PROGRAM,
        files=Tree(),
        limits=replace(limits, runtime=runtime, image=_IMAGE),
        harvest=(),
    )
    with tempfile.TemporaryDirectory(prefix="aisci-doctor-") as folder:
        pool = SandboxPool(
            engine,
            depot.run_id,
            lambda name: resolve_image(engine, name),
            policy="doctor",
            resources=depot,
        )
        result = DockerSandbox(pool, BlobStore(Path(folder))).run(job)
    if not result.ok or result.stdout.strip() != "held":
        raise AisciError(
            f"a job that prints one word ended as: {result.verdict}",
            where=f"runtime {runtime}",
            why=result.stderr[-400:],
            todo="see docs/sandbox.md; report it with the output of `aisci doctor --json`",
        )
    return result.attestation


def _backend(depot: RunResources, name: str) -> Tried:
    """One storage backend, by writing past a small volume's quota in bytes and in inodes."""
    try:
        depot.probe(name)
    except ControlUnavailable as error:
        return Tried(name, "absent", _said(error))
    except AisciError as error:
        return Tried(name, "failed", _said(error))
    return Tried(name, "tested", "a small volume was written full; its bytes and inodes held")


def _said(error: AisciError) -> str:
    return ": ".join(filter(None, (error.what.rstrip("."), error.why)))
