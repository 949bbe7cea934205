"""The evidence of a run in one file that other people's tools verify."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.find_run import find_run, id_of
from orchestrator.api.locking import is_at_work
from orchestrator.core.errors import UserError
from orchestrator.core.files import replacing
from orchestrator.core.untrusted import require_plain
from orchestrator.exchange.bundle import BUNDLE_SUFFIX, evidence_bundle
from orchestrator.record.chain import head_of
from orchestrator.record.signing import read_signer


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedEvidence:
    """A bundle: its file, how many Statements it has, who signed them, and the run's head."""

    run: str
    file: Path
    statements: int
    signer: str
    head: str


def pack_evidence(name: str, results: Path, key: Path, into: Path | None = None) -> PackedEvidence:
    """Sign the run's Statement and each container's, and write them to one file.

    Raises :class:`UserError` for a run at work, a file that exists, a key that is none; :class:`BadJournal` for a
    run that is not finished.
    """
    signer = read_signer(key)
    paths = find_run(name, results)
    require_plain(paths.folder)
    if is_at_work(paths.folder):
        raise UserError(
            "another process is working on this run",
            where=str(paths.folder),
            todo="wait for its end: only a finished run has a Statement",
        )
    head, run = head_of(paths.journal), id_of(paths.folder)
    own = f"{run.replace('/', '_')}_{head[:12]}{BUNDLE_SUFFIX}"
    file = into / own if into is not None and into.is_dir() else into or Path(own)
    if file.exists() or file.is_symlink():
        raise UserError(
            "there is something at this place already",
            where=str(file),
            todo="remove it, or name another file with --into",
        )
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
