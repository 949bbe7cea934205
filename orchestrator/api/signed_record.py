"""A run's record is signed when it has its end."""

from __future__ import annotations

from orchestrator.api import find_run
from orchestrator.core.errors import AisciError
from orchestrator.core.files import write
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.heard import Notice
from orchestrator.record.journal import Listener
from orchestrator.record.paths import RunPaths
from orchestrator.record.signing import Signer


def sign_or_tell(paths: RunPaths, signer: Signer | None, listener: Listener) -> None:
    """As :func:`sign_record`, of a run that ends with an error of its own: what fails here is told beside it."""
    try:
        sign_record(paths, signer)
    except AisciError as error:
        listener(Notice(f"{error.what}; {error.todo}"))


def sign_record(paths: RunPaths, signer: Signer | None) -> bool:
    """Sign the record if it has its end and there is a ``signer``; whether it has its end."""
    ended = find_run.ended(paths)
    if signer is not None and ended:
        statement = run_statement(paths)
        try:
            made = signed_envelope(statement, signer.public.fingerprint, signer.sign)
        except AisciError as error:
            error.what = f"the run has ended, and its record is not signed: {error.what}"
            error.todo = f"`aisci resume {paths.folder} --sign KEY` signs it"
            raise
        write(paths.signature, made)
    return ended
