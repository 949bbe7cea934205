"""The evidence of each container as a file, made from the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.core.files import write
from orchestrator.core.tree import canonical
from orchestrator.record.events import Answered
from orchestrator.record.journal import Journal


def recorded_statements(journal: Journal) -> Iterator[tuple[str, Any]]:
    """(scope, statement) of every container whose end the journal records, in order."""
    for event in journal.events:
        if isinstance(event, Answered) and event.evidence is not None:
            yield event.scope, journal.load(event.evidence)


def write_evidence(folder: Path, journal: Journal) -> None:
    """Write one JSON file per container."""
    for number, (scope, statement) in enumerate(recorded_statements(journal), start=1):
        write(folder / evidence_name(number, scope), canonical(statement) + b"\n")


def evidence_name(number: int, scope: str) -> str:
    """The file's name: the container's number in its journal, and its scope."""
    return f"{number:03d}_{scope.split('/', 2)[-1].replace('/', '_')}.json"
