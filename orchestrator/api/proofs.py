"""Run the probes of a policy in real containers on this machine, and keep the proof."""

from __future__ import annotations

import platform
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from orchestrator import __version__
from orchestrator.api.policies import SHIPPED, this_machine
from orchestrator.api.signals import obeyed
from orchestrator.core.errors import Interrupted
from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind
from orchestrator.proof.judge import ProbeResult
from orchestrator.proof.probe import Probe, select_probes, shipped_probes
from orchestrator.proof.proof import FullRun, Proof
from orchestrator.proof.running.prover import full_run, prove_kind
from orchestrator.proof.running.runner import ProbeRunner
from orchestrator.proof.store import ProofStore
from orchestrator.proof.subject import Subject, applicable_probes, for_machine, subject_of
from orchestrator.sandbox.engine.client import Engine, connect, translated
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.resources import STORAGE_IMAGE

Probes = dict[ContainerKind, tuple[Probe, ...]]


class ProofListener(Protocol):
    """Follows a proof."""

    def begin(self, kind: ContainerKind, count: int) -> None:
        """``count`` probes of a kind of container are about to run."""

    def doing(self, kind: ContainerKind, what: str) -> None:
        """What runs now."""

    def take(self, result: ProbeResult) -> None:
        """The result of one probe."""


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """A proof that was kept, and its page."""

    proof: Proof
    page: Path


def prove(
    name: str, listener: ProofListener, *, only: tuple[str, ...] = (), results: Path
) -> ProofOutcome:
    """Run the probes of a policy and keep the proof below ``results``.

    ``only`` names probes, folders of them, controls or parts of a control.

    Raises:
        UserError: there is no such policy or probe.
        EngineUnavailable, ImageMissing: nothing can run here.
        Interrupted: a person stopped it; nothing is kept.
    """
    subject = for_machine(subject_of(name, SHIPPED), this_machine())
    wanted, left = applicable_probes(subject, select_probes(shipped_probes(shipped_root()), only))
    engine = connect()
    images = _images(engine, subject)
    began, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    with obeyed(), _interrupted(name):
        tried = _tried(engine, subject, wanted, images, listener, every=not only)
    proof = _proof(
        engine,
        subject,
        tried,
        images,
        at=at,
        seconds=time.monotonic() - began,
        left_out=left,
        asked=only,
    )
    return ProofOutcome(proof, ProofStore(results, subject.name, subject.hash).keep(proof))


@dataclass(frozen=True, slots=True)
class _Tried:
    """Each result, each kind of container at the policy's own limits, the storage backend."""

    results: tuple[ProbeResult, ...]
    whole: tuple[FullRun, ...]
    storage: str


def _images(engine: Engine, subject: Subject) -> dict[str, str]:
    """Ids by the names that the policy's blocks have for them, and the trusted helper's."""
    found = {STORAGE_IMAGE: resolve_image(engine, STORAGE_IMAGE)}
    for limits in subject.limits.values():
        found[limits.image] = resolve_image(
            engine, limits.image, flavour="cuda" if limits.gpus else "cpu"
        )
    return found


def _tried(
    engine: Engine,
    subject: Subject,
    wanted: Probes,
    images: dict[str, str],
    listener: ProofListener,
    *,
    every: bool,
) -> _Tried:
    def image(name: str) -> str:  # also one that a probe made for itself, by its id
        return images.get(name) or resolve_image(engine, name)

    found: list[ProbeResult] = []
    seen: list[FullRun] = []
    run_id = f"prove-{secrets.token_hex(4)}"
    with ProbeRunner(engine, run_id, subject.limits, image, shipped_root(), subject.hash) as runner:
        for kind, mine in wanted.items():
            listener.begin(kind, len(mine))
            if every:
                listener.doing(kind, "a container at the policy's own limits")
                seen.append(full_run(runner, kind))
            for result in prove_kind(runner, kind, mine, partial(listener.doing, kind)):
                found.append(result)
                listener.take(result)
    return _Tried(tuple(found), tuple(seen), runner.storage)


def _proof(
    engine: Engine,
    subject: Subject,
    tried: _Tried,
    images: dict[str, str],
    *,
    at: str,
    seconds: float,
    left_out: tuple[tuple[str, str], ...],
    asked: tuple[str, ...],
) -> Proof:
    with translated("asking the engine what it is"):
        info: dict[str, Any] = engine.info()
    unproved = dict(subject.unproved)
    for one in tried.whole:
        if one.attestation is None and not unproved:
            unproved["container"] = f"{one.kind}, at the policy's own limits: {one.why}"
    return Proof(
        policy=subject.name,
        origin=subject.origin,
        hash=subject.hash,
        at=at,
        seconds=seconds,
        program=__version__,
        engine=f"docker {info['ServerVersion']}",
        kernel=str(info["KernelVersion"]),
        machine=platform.machine(),
        cgroup=int(info.get("CgroupVersion") or 1),
        runtimes=tuple(sorted({limits.runtime for limits in subject.limits.values()})),
        storage=tried.storage,
        images=tuple((kind, images[limits.image]) for kind, limits in subject.limits.items()),
        results=tried.results,
        whole=tried.whole,
        unproved=tuple(unproved.items()),
        left_out=left_out,
        asked=asked,
    )


@contextmanager
def _interrupted(name: str) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, Interrupted) as error:
        raise Interrupted(
            "the proof was stopped; its containers are removed and nothing of it is kept",
            where=f"the policy {name}",
            todo=f"start it again: aisci policy prove {name}",
        ) from error
