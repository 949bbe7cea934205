"""The evidence of a run in one file that other people's tools verify."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.archive import file_of_run
from orchestrator.core.files import replacing
from orchestrator.exchange.bundle import BUNDLE_SUFFIX, evidence_bundle
from orchestrator.record.signing import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedEvidence:
    """A bundle: its file, how many Statements it has, who signed them, and the run's head."""

    run: str
    file: Path
    statements: int
    signer: str
    head: str


def pack_evidence(
    name: str, results: Path, signer: Signer, into: Path | None = None
) -> PackedEvidence:
    """Sign the run's Statement and each container's, and write them to one file.

    Raises :class:`UserError` for a run at work, a file that exists; :class:`BadJournal` for a
    run that is not finished.
    """
    paths, run, head, file = file_of_run(name, results, into, BUNDLE_SUFFIX)
    lines = evidence_bundle(paths, signer)
    with replacing(file) as out:
        out.writelines(lines)
    return PackedEvidence(
        run=run,
        file=file,
        statements=len(lines),
        signer=signer.public.fingerprint,
        head=head,
    )
