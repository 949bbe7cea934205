"""Answers of engines, kept on this machine for a week: equal searches of many ideas cost one call."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.decode import decode, encode
from orchestrator.core.errors import DiskFull
from orchestrator.core.files import cache_home, write
from orchestrator.core.literature import PaperRef
from orchestrator.core.tree import digest
from orchestrator.core.untrusted import read_plain

FRESH = 7 * 24 * 3600.0  # seconds
_FORMAT = 1  # raised when the parsers read more from an answer
_MOST = 4 << 20  # bytes of a file


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """A folder of answers, each in a file named by the hash of its question."""

    folder: Path | None = None

    def get(
        self, question: tuple[Any, ...], now: float
    ) -> tuple[tuple[PaperRef, ...], float] | None:
        """The papers, and their age in seconds; None where nothing fresh is kept."""
        try:
            kept = json.loads(read_plain(self._file(question), _MOST))
            age = now - float(kept["at"])
            papers = decode(tuple[PaperRef, ...], kept["papers"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None  # nothing, or a damaged file: the engine is asked
        return (papers, age) if 0 <= age < FRESH else None

    def put(self, question: tuple[Any, ...], papers: tuple[PaperRef, ...], now: float) -> None:
        """Keep an answer; without room on the disk nothing is kept."""
        kept = {"at": now, "papers": encode(tuple[PaperRef, ...], papers)}
        with suppress(OSError, DiskFull):
            write(self._file(question), json.dumps(kept))

    def _file(self, question: tuple[Any, ...]) -> Path:
        name = digest([_FORMAT, *question])
        folder = self.folder or cache_home() / "literature" / "answers"
        return folder / name[:2] / f"{name}.json"
