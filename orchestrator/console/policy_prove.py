"""``aisci policy prove``: the probes of a policy, run here and now, and what came of them."""

from __future__ import annotations

import platform
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator import __version__
from orchestrator.api.signals import obeyed
from orchestrator.console import output as out
from orchestrator.console.policy import SHIPPED, this_machine
from orchestrator.console.policy_prove_view import Board, Lines, Silent, Watcher, report
from orchestrator.core.errors import Interrupted
from orchestrator.core.files import shipped_root
from orchestrator.core.job import ContainerKind
from orchestrator.proof.judge import Result
from orchestrator.proof.probe import Probe, chosen, probes
from orchestrator.proof.proof import Proof, Whole
from orchestrator.proof.running.prover import prove as proved
from orchestrator.proof.running.prover import whole
from orchestrator.proof.running.runner import Trials
from orchestrator.proof.store import Shelf
from orchestrator.proof.subject import Subject, applying, on_machine, subject_of
from orchestrator.sandbox.engine.client import Engine, connect, translated
from orchestrator.sandbox.images.images import resolve

STORAGE = "aisci-storage"
Wanted = dict[ContainerKind, tuple[Probe, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How the person, or the program, wants to be told."""

    quiet: bool
    as_json: bool
    verbose: bool


def prove(name: str, only: tuple[str, ...], results: Path, view: View) -> int:
    """Run the probes, keep the proof, tell it; returns the exit code (0, 1 or 3).

    Raises :class:`UserError` for a name that there is not, :class:`EngineUnavailable`,
    :class:`ImageMissing`.
    """
    subject = on_machine(subject_of(name, SHIPPED), this_machine())
    wanted, left = applying(subject, chosen(probes(shipped_root()), only))
    engine = connect()
    images = _images(engine, subject)
    began, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    with obeyed(), _told_if_stopped(name), _watcher(view) as watch:
        found, seen, storage = _tried(engine, subject, wanted, images, watch, every=not only)
    proof = _proof(engine, subject, found, seen, images, only)
    proof = replace(proof, at=at, seconds=time.monotonic() - began, storage=storage, left_out=left)
    page = Shelf(results, subject.name, subject.hash).keep(proof)
    if view.as_json:
        short = {
            key: value for key, value in asdict(proof).items() if key not in {"results", "whole"}
        }
        out.as_json(
            {
                "proof": {
                    **short,
                    "outcome": proof.outcome,
                    "sha256": proof.sha256,
                    "page": str(page),
                }
            }
        )
    else:
        report(proof, page, verbose=view.verbose)
    return proof.exit_code


def _images(engine: Engine, subject: Subject) -> dict[str, str]:
    """Ids by the names that the policy's blocks have for them, and the trusted helper's."""
    found = {STORAGE: resolve(engine, STORAGE)}
    for limits in subject.limits.values():
        found[limits.image] = resolve(
            engine, limits.image, flavour="cuda" if limits.gpus else "cpu"
        )
    return found


def _tried(
    engine: Engine,
    subject: Subject,
    wanted: Wanted,
    images: dict[str, str],
    watch: Watcher,
    *,
    every: bool,
) -> tuple[list[Result], list[Whole], str]:
    """Each result, each kind of container at the policy's own limits, the storage backend."""

    def image(name: str) -> str:  # also one that a probe made for itself, by its id
        return images.get(name) or resolve(engine, name)

    found: list[Result] = []
    seen: list[Whole] = []
    run_id = f"prove-{secrets.token_hex(4)}"
    with Trials(engine, run_id, subject.limits, image, shipped_root(), subject.hash) as trials:
        for kind, mine in wanted.items():
            watch.begin(kind, len(mine))
            if every:
                watch.doing(kind, "a container at the policy's own limits")
                seen.append(whole(trials, kind))
            for result in proved(trials, kind, mine, partial(watch.doing, kind)):
                found.append(result)
                watch.take(result)
    return found, seen, trials.storage


def _proof(
    engine: Engine,
    subject: Subject,
    found: list[Result],
    seen: list[Whole],
    images: dict[str, str],
    only: tuple[str, ...],
) -> Proof:
    with translated("asking the engine what it is"):
        info: dict[str, Any] = engine.info()
    unproved = dict(subject.unproved)
    for one in seen:
        if one.attestation is None and not unproved:
            unproved["container"] = f"{one.kind}, at the policy's own limits: {one.why}"
    return Proof(
        policy=subject.name,
        origin=subject.origin,
        hash=subject.hash,
        at="",
        seconds=0.0,
        program=__version__,
        engine=f"docker {info['ServerVersion']}",
        kernel=str(info["KernelVersion"]),
        machine=platform.machine(),
        cgroup=int(info.get("CgroupVersion") or 1),
        runtimes=tuple(sorted({limits.runtime for limits in subject.limits.values()})),
        storage="",
        images=tuple((kind, images[limits.image]) for kind, limits in subject.limits.items()),
        results=tuple(found),
        whole=tuple(seen),
        unproved=tuple(unproved.items()),
        asked=only,
    )


@contextmanager
def _told_if_stopped(name: str) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, Interrupted) as error:
        raise Interrupted(
            "the proof was stopped; its containers are gone and nothing of it is kept",
            todo=f"start it again: aisci policy prove {name}",
        ) from error


def _watcher(view: View) -> AbstractContextManager[Watcher]:
    if view.as_json:
        return Silent(lambda result: out.as_json({"result": asdict(result)}))
    if view.quiet:
        return Silent(lambda _: None)
    return Board() if sys.stderr.isatty() else Lines()
