"""The few lines of a journal that say where a run stands. Its chain is not followed: an audit does that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.errors import BadJournal
from orchestrator.record.chain import require_schema, whole_lines
from orchestrator.record.events import Event, read_event

_KINDS = (b'"kind":"sealed"', b'"kind":"forked"')
_NOTES = tuple(
    f'"name":"{name}"'.encode()
    for name in (
        "stage",
        "failed",
        "finished",
        "skipped",
        "outcome",
        "baseline_compared",
        "run_failed",
    )
)
_BASELINE = (b'"scope":"run/baseline"', b'"port":"sandbox"')


def telling_lines(path: Path) -> Iterator[Event]:
    """The first line, then answers of models (what was paid), of the baseline's container, and the notes and ends
    that tell how far it came; up to a torn last line.

    Raises :class:`BadJournal` for such a line that is invalid.
    """
    for number, raw in enumerate(whole_lines(path), start=1):
        if number > 1 and not _tells(raw):
            continue
        where = f"{path}:{number}"
        if number == 1:
            require_schema(raw, where)
        try:
            yield read_event(raw)
        except (ValueError, RecursionError) as error:
            raise BadJournal(
                "a line is not one that aisci writes",
                where=where,
                why=str(error),
                todo="restore the journal from a copy; `aisci audit` checks a whole record",
            ) from error


def _tells(raw: bytes) -> bool:
    """By the bytes: within a text a quotation mark has a backslash, so these are never of a text."""
    if b'"kind":"noted"' in raw:
        return any(name in raw for name in _NOTES)
    if b'"kind":"answered"' in raw:
        return b'"port":"model"' in raw or all(part in raw for part in _BASELINE)
    return any(kind in raw for kind in _KINDS)
