"""The file of a library of one's own: opened, read, written in one transaction, every failure explained.

No other module imports sqlite3.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestrator.core.errors import AisciError, DiskFull, UserError
from orchestrator.core.files import disk_errors
from orchestrator.literature.library.stored_paper import Damaged

Base = sqlite3.Connection
VERSION = 1
WAIT = 10.0  # seconds for another process that writes
_CACHE = -64 * 1024  # KiB
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR,
}  # fmt: skip
_TOKENS = "tokenize = 'unicode61 remove_diacritics 0'"
_SCHEMA = (
    """CREATE TABLE papers (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE COLLATE NOCASE,
      doi TEXT NOT NULL, arxiv TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL
    )""",
    "CREATE INDEX by_doi ON papers (doi) WHERE doi != ''",
    "CREATE INDEX by_arxiv ON papers (arxiv) WHERE arxiv != ''",
    "CREATE INDEX by_title ON papers (title)",
    f"CREATE VIRTUAL TABLE words USING fts5(title, authors, abstract, {_TOKENS})",
    f"CREATE VIRTUAL TABLE titles USING fts5(title, {_TOKENS})",
    f"CREATE VIRTUAL TABLE texts USING fts5(text, {_TOKENS})",
    "CREATE VIRTUAL TABLE words_counts USING fts5vocab(words, row)",
    "CREATE VIRTUAL TABLE texts_counts USING fts5vocab(texts, row)",
    f"PRAGMA user_version = {VERSION}",
)
"""``papers.title`` is the name by which same_ids compares titles. The others hold plain words: titles
again, because a search of them for common words is five times faster; texts apart, because BM25 would
put a paper with a long text behind those without.
"""


@contextmanager
def reading(path: Path) -> Iterator[Base | None]:
    """The library, or None if there is none yet."""
    try:
        there = path.exists()
    except OSError as error:
        raise _unusable(path, str(error)) from error
    if not there:
        yield None
        return
    with _open(path) as base:
        base.execute("BEGIN")  # all that is read is of one moment, whoever adds or removes papers
        yield base if _version(base, path) else None


@contextmanager
def writing(path: Path) -> Iterator[Base]:
    """One transaction, made whole or not at all; the library is created if needed."""
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, str(error)) from error
    with _open(path) as base:
        _version(base, path)
        # Readers go on while one writes. Whoever comes first sets it, and the file keeps it.
        with suppress(sqlite3.OperationalError):
            base.execute("PRAGMA journal_mode = WAL").fetchone()
        base.execute("BEGIN IMMEDIATE")
        try:
            if not _version(base, path):
                for statement in _SCHEMA:
                    base.execute(statement)
            yield base
            base.execute("COMMIT")
        except BaseException:
            if base.in_transaction:
                base.execute("ROLLBACK")
            raise


def the_row(base: Base, sql: str, number: int) -> tuple[Any, ...]:
    """The row of a paper that must be there. Raises :class:`Damaged`."""
    row: tuple[Any, ...] | None = base.execute(sql, (number,)).fetchone()
    if row is None:
        raise Damaged(f"the paper {number} is in the index and nowhere else")
    return row


@contextmanager
def _open(path: Path) -> Iterator[Base]:
    try:
        with closing(sqlite3.connect(path, timeout=WAIT, isolation_level=None)) as base:
            base.execute(f"PRAGMA cache_size = {_CACHE}")
            yield base
    except sqlite3.Error as error:
        raise _explained(path, error) from error
    except Damaged as error:
        raise _damaged(path, str(error)) from error


def _version(base: Base, path: Path) -> int:
    """The version of the library's form; 0 if the file holds nothing yet."""
    (version,) = base.execute("PRAGMA user_version").fetchone()
    (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version == VERSION or (version == 0 and tables == 0):
        return int(version)
    raise UserError(
        "the library was written by another version of aisci, or is another program's file",
        where=str(path),
        why=f"it has the form {version}; this aisci reads the form {VERSION}",
        todo=f"use that version, or move the file away: {_move(path)}",
    )


def _explained(path: Path, error: sqlite3.Error) -> AisciError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(
            "the disk is full; the library is as it was before",
            where=str(path),
            why=str(error),
            todo="free some space, then add the papers again",
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return UserError(
            "another process is writing to the library",
            where=str(path),
            why=f"it was not done after {WAIT:.0f} s",
            todo="wait until it is done, then try again",
        )
    unfit = code not in _DAMAGED or "no such module" in str(error)
    return _unusable(path, str(error)) if unfit else _damaged(path, str(error))


def _damaged(path: Path, why: str) -> UserError:
    todo = f"move it away, then add the papers again: {_move(path)}"
    return UserError("the library is damaged", where=str(path), why=why, todo=todo)


def _unusable(path: Path, why: str) -> UserError:
    what = "the library cannot be opened or written"
    todo = "check the folder's permissions, its disk, and that Python's SQLite has FTS5"
    return UserError(what, where=str(path), why=why, todo=todo)


def _move(path: Path) -> str:
    return f"mv {shlex.quote(str(path))} {shlex.quote(f'{path}.old')}"
