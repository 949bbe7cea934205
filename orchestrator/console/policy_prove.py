"""``aisci policy prove``: follow a proof on the terminal, and print its result."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path

from orchestrator.api.proofs import ProofListener, ProofOutcome
from orchestrator.api.proofs import prove as proved
from orchestrator.console import output as out
from orchestrator.console.policy_prove_view import ProofLines, ProofResults, ProofTable, print_proof
from orchestrator.console.view import View


def prove(name: str, only: tuple[str, ...], results: Path, view: View) -> int:
    """Prove a policy and print the result; returns the exit code (0, 1 or 3)."""
    with _watcher(view) as watch:
        outcome = proved(name, watch, only=only, results=results)
    if view.as_json:
        _as_json(outcome)
    else:
        print_proof(outcome.proof, outcome.page, verbose=view.verbose)
    return outcome.proof.exit_code


def _as_json(outcome: ProofOutcome) -> None:
    proof = outcome.proof
    short = {key: value for key, value in asdict(proof).items() if key not in {"results", "whole"}}
    more = {"outcome": proof.outcome, "sha256": proof.sha256, "page": str(outcome.page)}
    out.as_json({"proof": {**short, **more}})


def _watcher(view: View) -> AbstractContextManager[ProofListener]:
    if view.as_json:
        return ProofResults(lambda result: out.as_json({"result": asdict(result)}))
    if view.quiet:
        return ProofResults(lambda _: None)
    return ProofTable() if sys.stderr.isatty() else ProofLines()
