"""Trying, for the doctor: one real job in a container under the policy ci-cpu."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from orchestrator import AisciError
from orchestrator.blobs import BlobStore
from orchestrator.edges.engine import Engine
from orchestrator.edges.images import resolve
from orchestrator.edges.sandbox import DockerSandbox
from orchestrator.host import Host
from orchestrator.paths import shipped_root
from orchestrator.policy import load
from orchestrator.records import Attestation, Job, Tree

TRIAL = ("python3", "-c", "print('held')")


def tried(engine: Engine, seen: Host) -> Host:
    """``seen``, with what was tried just now."""
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
