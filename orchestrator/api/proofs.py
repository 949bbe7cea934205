"""Run the probes of a policy in real containers on this machine, and keep the proof."""

from __future__ import annotations

import platform
import secrets
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from orchestrator import __version__
from orchestrator.api.images import require_recent_images
from orchestrator.api.locking import stoppable
from orchestrator.api.policies import SHIPPED, this_machine
from orchestrator.api.signed_images import require_signed_images
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
from orchestrator.sandbox.images.images import Flavour, resolve_image
from orchestrator.sandbox.resources import STORAGE_IMAGE


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
        UserError: there is no such policy or probe, or the proof could not be written.
        EngineUnavailable, ImageMissing, ImageStale: nothing can run here.
        Interrupted: a person stopped it; nothing is kept.
    """
    subject = for_machine(subject_of(name, SHIPPED), this_machine())
    store = ProofStore(results, subject.name, subject.hash)
    store.require_writable()
    wanted, left = applicable_probes(subject, select_probes(shipped_probes(shipped_root()), only))
    engine = connect()
    images = _images(engine, subject)
    if subject.whole is not None:
        require_recent_images(subject.whole, engine, subject.limits)
    began, draft = time.monotonic(), _draft(engine, subject, images)
    with stoppable(
        "the proof was stopped; its containers are removed and nothing of it is kept",
        where=f"the policy {name}",
        todo=f"start it again: aisci policy prove {name}",
    ):
        tried = _tried(engine, subject, wanted, images, listener, replace(draft, asked=only))
    proof = replace(tried, seconds=time.monotonic() - began, left_out=left)
    return ProofOutcome(proof, store.keep(proof))


def _images(engine: Engine, subject: Subject) -> dict[str, str]:
    """Ids by the names that the policy's blocks have for them, and the trusted helper's."""
    found = {STORAGE_IMAGE: resolve_image(engine, STORAGE_IMAGE)}
    for limits in subject.limits.values():
        flavour: Flavour = "cuda" if limits.gpus else "cpu"
        found[limits.image] = resolve_image(engine, limits.image, flavour=flavour)
    require_signed_images(sorted(found.items()))
    return found


def _tried(
    engine: Engine,
    subject: Subject,
    wanted: dict[ContainerKind, tuple[Probe, ...]],
    images: dict[str, str],
    listener: ProofListener,
    draft: Proof,
) -> Proof:
    """The draft with each result, and each kind of container at the policy's own limits."""

    def image(name: str) -> str:  # also one that a probe made for itself, by its id
        return images.get(name) or resolve_image(engine, name)

    found: list[ProbeResult] = []
    seen: list[FullRun] = []
    run_id = f"prove-{secrets.token_hex(4)}"
    with ProbeRunner(engine, run_id, subject.limits, image, shipped_root(), subject.hash) as runner:
        for kind, mine in wanted.items():
            listener.begin(kind, len(mine))
            if not draft.asked:
                listener.doing(kind, "a container at the policy's own limits")
                seen.append(full_run(runner, kind))
            for result in prove_kind(runner, kind, mine, partial(listener.doing, kind)):
                found.append(result)
                listener.take(result)
    unproved = dict(subject.unproved)
    for one in seen:
        if one.attestation is None and not unproved:
            unproved["container"] = f"{one.kind}, at the policy's own limits: {one.why}"
    return replace(
        draft,
        results=tuple(found),
        whole=tuple(seen),
        storage=runner.storage,
        unproved=tuple(unproved.items()),
    )


def _draft(engine: Engine, subject: Subject, images: dict[str, str]) -> Proof:
    """What is known before anything is tried."""
    with translated("asking the engine what it is"):
        info: dict[str, Any] = engine.info()
    return Proof(
        policy=subject.name,
        origin=subject.origin,
        hash=subject.hash,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        program=__version__,
        engine=f"docker {info['ServerVersion']}",
        kernel=str(info["KernelVersion"]),
        machine=platform.machine(),
        cgroup=int(info.get("CgroupVersion") or 1),
        runtimes=tuple(sorted({limits.runtime for limits in subject.limits.values()})),
        storage="",
        images=tuple((kind, images[limits.image]) for kind, limits in subject.limits.items()),
        results=(),
        whole=(),
    )
