"""The stored proofs, and the newest one of a policy.

::

    results/proofs/<first half of the policy's hash>/
        index.html                    the newest, with links to the others
        20261124_204501.json, .html   one proof, and its page
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.files import write
from orchestrator.proof.page import empty_page, proof_page
from orchestrator.proof.proof import Proof, proof_bytes, read_proof
from orchestrator.record.paths import proofs_folder
from orchestrator.record.pins import ProofPin, ProofSummary


@dataclass(frozen=True, slots=True)
class ProofStore:
    """The proofs of one policy, by its hash, in a folder of results."""

    results: Path
    policy: str
    hash: str

    @property
    def folder(self) -> Path:
        return self.results / proofs_folder(self.hash)

    @property
    def index(self) -> Path:
        return self.folder / "index.html"

    def require_writable(self) -> None:
        """Raise :class:`UserError` if a proof could not be kept: it takes minutes to make."""
        there = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            raise UserError(
                "the proof could not be written",
                where=str(there.resolve()),
                why="you may not write there" if there.is_dir() else "it is not a folder",
                todo="name another folder with --results, or change the rights of this one",
            )

    def newest(self) -> Proof | None:
        """The newest complete proof of this policy; unreadable ones are skipped."""
        for path in sorted(self.folder.glob("*.json"), reverse=True):
            with suppress(BadFile):
                proof = read_proof(path)
                if proof.hash == self.hash and not proof.asked:
                    return proof
        return None

    def keep(self, proof: Proof) -> Path:
        """Write a proof and its page, and update the index. Returns the page's path."""
        name = datetime.fromisoformat(proof.at).strftime("%Y%m%d_%H%M%S")
        name += "_some" if proof.asked else ""
        write(self.folder / f"{name}.json", proof_bytes(proof))
        page = self.folder / f"{name}.html"
        write(page, proof_page(proof))
        self.write_index()
        return page

    def write_index(self) -> None:
        """Write the page of the newest proof, or one that says that there is none yet."""
        newest = self.newest()
        others = sorted((path.name for path in self.folder.glob("*_*.html")), reverse=True)
        text = proof_page(newest, others) if newest else empty_page(self.policy, self.hash, others)
        write(self.index, text)

    def pin(self) -> ProofPin:
        """What a run's record keeps: the policy's hash, and its latest proof if there is one."""
        newest = self.newest()
        if newest is None:
            return ProofPin(of=self.hash)
        summary = ProofSummary(
            at=newest.at, outcome=newest.outcome, sha256=newest.sha256, images=newest.images
        )
        return ProofPin(of=self.hash, newest=summary)
