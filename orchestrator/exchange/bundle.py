"""A bundle of evidence: one signed DSSE envelope a line, for the run's Statement and for each container's.

The form is in-toto's (``.intoto.jsonl``): admission tools take one line for one artefact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.tree import canonical
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import read_lines
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.events import Answered
from orchestrator.record.paths import RecordPaths, RunPaths
from orchestrator.record.signing import Signer

BUNDLE_SUFFIX = ".intoto.jsonl"


def evidence_bundle(paths: RunPaths, signer: Signer) -> tuple[bytes, ...]:
    """The lines of the bundle: the run's, then each container's in the order of the journals.

    The Statements are those of the journals, whose chain is checked while it is read, and not the files beside
    them. Raises :class:`BadJournal`, also for a run that is not finished.
    """
    name = signer.public.fingerprint
    statements = (run_statement(paths), *_containers(paths))
    return tuple(_line(signed_envelope(one, name, signer.sign)) for one in statements)


def _containers(paths: RunPaths) -> Iterator[bytes]:
    shared = BlobStore.reading(paths.blobs)
    for journal in (paths.journal, *sorted(paths.folder.glob(f"*/{paths.journal.name}"))):
        own = BlobStore(RecordPaths(Path(journal).parent).blobs, shared)
        for event, _ in read_lines(journal):
            if isinstance(event, Answered) and event.evidence is not None:
                yield canonical(event.evidence.read(own))


def _line(envelope: bytes) -> bytes:
    return json.dumps(json.loads(envelope), separators=(",", ":")).encode() + b"\n"
