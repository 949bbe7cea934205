"""The attestation of each container as a file, made from the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.core.files import write
from orchestrator.core.tree import canonical
from orchestrator.record.events import Answered
from orchestrator.record.journal import Journal


def recorded_statements(journal: Journal) -> Iterator[tuple[str, Any]]:
    """(scope, attestation) of every container whose end the journal records, in order."""
    for event in journal.events:
        if isinstance(event, Answered) and event.evidence is not None:
            yield event.scope, journal.load(event.evidence)


def write_evidence(folder: Path, journal: Journal) -> None:
    """One JSON file a container: what the journal says of it."""
    for number, (scope, told) in enumerate(recorded_statements(journal), start=1):
        write(folder / evidence_name(number, scope), canonical(told) + b"\n")


def evidence_name(number: int, scope: str) -> str:
    """A container's file, by its order in its journal and its place."""
    return f"{number:03d}_{scope.split('/', 2)[-1].replace('/', '_')}.json"
