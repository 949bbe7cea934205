"""A file that `aisci export` made, given where a run is wanted: what it is, and how it becomes a run again."""

from __future__ import annotations

import re
import shlex
import tarfile
import zlib
from collections import deque
from pathlib import Path

from orchestrator.core.errors import UserError
from orchestrator.core.tree import digest

SUFFIX = ".tar.gz"
_JOURNAL = re.compile(r"(?P<run>\w[\w.-]*/\w[\w.-]*)/journal\.jsonl", re.ASCII)
_MOST_ENTRIES = 100_000
_MOST_JOURNAL = 256 << 20  # bytes of a journal that is read for its head


def looks_exported(path: Path) -> bool:
    """Whether this is a file, by its name one of `aisci export`."""
    return path.name.endswith(SUFFIX) and path.is_file()


def refuse_exported(path: Path) -> None:
    """Raise :class:`UserError`, with the lines to copy, where a run is wanted and this is an exported one."""
    if not looks_exported(path):
        return
    found = run_inside(path)
    if found is None:
        raise UserError(
            "this file is not a run",
            where=str(path),
            why="it is no archive that `aisci export` made, or it is damaged",
            todo="export the run again: `aisci export RUN`",
        )
    run, head = found
    raise UserError(
        "this is an exported run: one file, to be unpacked first",
        where=str(path),
        why="a run is a folder",
        todo="\n".join(
            (
                "type these lines; compare the head, which is the file's own, with the one that you were told",
                *unpacking(path, run, head),
            )
        ),
    )


def unpacking(file: Path, run: str, head: str) -> tuple[str, ...]:
    """The lines that unpack an exported run into a folder of results, and audit it."""
    return (
        f"mkdir -p results && tar -xzf {shlex.quote(str(file))} -C results",
        f"aisci audit {shlex.quote(run)} --head {head}",
    )


def run_inside(path: Path) -> tuple[str, str] | None:
    """(the run's id, the head of its journal) of an exported file; None where it is none. Nothing is unpacked."""
    try:
        with tarfile.open(path, "r|gz") as tar:
            for number, entry in enumerate(tar):
                if number >= _MOST_ENTRIES:
                    return None
                named = _JOURNAL.fullmatch(entry.name)
                if named and entry.isfile() and entry.size <= _MOST_JOURNAL:
                    content = tar.extractfile(entry)
                    last = deque(content or (b"",), maxlen=1)  # the head is the last line's hash
                    return (named["run"], digest(last[0].rstrip(b"\n"))) if last else None
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError):
        return None
    return None
