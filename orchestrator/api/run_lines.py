"""The journals of one run, read while another process may be writing them. Nothing is written."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.api.find_run import JOURNAL
from orchestrator.core.errors import BadJournal, UnknownName
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import GrowingJournal
from orchestrator.record.events import Body, Event, IdeaStarted
from orchestrator.record.glance import telling_lines


class RunLines:
    """The lines of a run's journal and of its ideas' as they come, in order of time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journals = {folder / JOURNAL: GrowingJournal(folder / JOURNAL)}

    def more(self) -> list[Event]:
        """The lines since the last call. Raises :class:`BadJournal` at the first that is invalid."""
        for path in idea_journals(self.folder):
            self._journals.setdefault(path, GrowingJournal(path))
        return in_time(*(list(journal.more()) for journal in self._journals.values()))


def glance(folder: Path) -> list[Event]:
    """The lines that say where a run stands, in order of time. Raises :class:`BadJournal`."""
    paths = (folder / JOURNAL, *idea_journals(folder))
    return in_time(*(list(telling_lines(path)) for path in paths))


def in_time(*journals: list[Event]) -> list[Event]:
    """The lines of several journals by their times; those of one keep their order."""
    return list(heapq.merge(*journals, key=lambda event: event.at))


def idea_journals(folder: Path) -> list[Path]:
    """The journals of a run's ideas; what a link leads to is not the run's."""
    with os.scandir(folder) as entries:
        inside = sorted(one.name for one in entries if one.is_dir(follow_symlinks=False))
    return [path for name in inside if (path := folder / name / JOURNAL).is_file()]


def read_body(body: Body, folder: Path) -> Any:
    """The JSON value of ``body``, from the blobs of the run or of any of its ideas."""
    # Most are in the line itself: those look into no folder.
    ideas = sorted(folder.glob("*/blobs")) if body.blob else []
    return body.read(BlobStore(folder / "blobs", *map(BlobStore, ideas)))


@contextmanager
def as_written(where: str) -> Iterator[None]:
    """Raises :class:`BadJournal` where a line, though whole, says what this program does not write."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadJournal(
            "a line is not one that this program wrote",
            where=where,
            why=f"{type(error).__name__}: {error}",
            todo="`aisci audit` checks the whole record",
        ) from error


def idea_called(name: str, folder: Path) -> str:
    """The id of the idea with this name, id or folder, or the beginning of one.

    Raises :class:`UnknownName` for none or several, :class:`BadJournal`.
    """
    known: dict[str, str] = {}
    for path in idea_journals(folder):
        first = next(GrowingJournal(path).more(), None)
        if isinstance(first, IdeaStarted):
            known[path.parent.name] = first.id
    asked = Path(name).name
    found = [one for inside, one in known.items() if inside.startswith(asked) or one == asked]
    if asked in known or len(set(found)) == 1:
        return known.get(asked, found[0])
    raise UnknownName(
        "several ideas have this name" if found else "this run has no such idea",
        where=f"{folder}: {asked}",
        todo="its ideas: " + (", ".join(known) or "none was begun yet"),
    )
