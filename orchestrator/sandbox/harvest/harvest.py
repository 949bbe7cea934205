"""Turns bytes from a container into checked files. The sender is assumed to be hostile.

A tar stream is read block by block (``tarstream.py``). A member that breaks the rules is left
out and reported with the reason; a stream with a wrong format or size is refused as a whole.
Nothing is opened, rendered or unpickled here: content goes to the blob store while it is hashed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from orchestrator.core.errors import HarvestRefused
from orchestrator.core.filenames import shown, why_unsafe
from orchestrator.core.job import Limits
from orchestrator.core.tree import Tree
from orchestrator.sandbox.harvest.tarstream import RERUN_JOB, Member, TarReader

MAX_REFUSED_LISTED = 100


class StreamStore(Protocol):
    """Stores content while it is hashed."""

    def put_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep the bytes; return (SHA-256 in hex, size)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestRules:
    """Which paths are kept (a folder ends in ``/``), and the limits: counts, bytes, levels."""

    paths: tuple[str, ...]
    files: int
    bytes: int
    file: int
    depth: int

    @classmethod
    def of(cls, limits: Limits, paths: tuple[str, ...]) -> HarvestRules:
        """A policy's harvest block, for the paths that one job declares."""
        names = ("files", "bytes", "file", "depth")
        return cls(paths=paths, **{name: getattr(limits, f"harvest_{name}") for name in names})

    @property
    def members(self) -> int:
        """The most members of any kind that a reader may send: files, folders, and some refused."""
        return 4 * self.files + 1000

    def want(self, path: str) -> bool:
        """Whether ``path`` is a declared file, is below a declared folder, or matches a pattern.

        A pattern such as ``*.png`` applies to one folder: its ``*`` never matches a slash.
        """
        return any(
            path.startswith(asked)
            if asked.endswith("/")
            else path.count("/") == asked.count("/") and fnmatchcase(path, asked)
            for asked in self.paths
        )


@dataclass(frozen=True, slots=True)
class Harvested:
    """The files that were kept, and those left out as (escaped path, why)."""

    files: Tree
    refused: tuple[tuple[str, str], ...]


def harvest(chunks: Iterable[bytes], rules: HarvestRules, store: StreamStore) -> Harvested:
    """Read a tar from ``chunks`` into ``store``, keeping what ``rules`` allow.

    Raises :class:`HarvestRefused` if the stream is not a tar of the known kinds, ends early, or is
    larger than any honest reader's.
    """
    reader = TarReader(chunks)
    kept = _Kept(rules)
    for count, member in enumerate(reader.members()):
        if count > rules.members:
            raise HarvestRefused(
                "a container's output has more members than its reader may send",
                where=shown(member.path),
                todo=RERUN_JOB,
            )
        why = kept.why_not(member)
        if why is None:
            sha256, _ = store.put_stream(reader.content(member.size))
            kept.add(member, sha256)
            continue
        if member.kind != "5" or member.path.count("/") >= rules.depth:
            kept.refuse(member, why)
        if kept.skipped + member.size > rules.bytes:
            raise HarvestRefused(
                "a container's output is larger than its reader may send",
                where=shown(member.path),
                why=f"{kept.skipped + member.size} bytes that no rule asks for; at most {rules.bytes}",
                todo=RERUN_JOB,
            )
        kept.skipped += member.size
        for _ in reader.content(member.size):
            pass
    more = ((f"and {kept.more} more", "not named one by one"),) if kept.more else ()
    return Harvested(Tree.of(kept.files), (*kept.refused, *more))


@dataclass(slots=True)
class _Kept:
    """The files so far; decides whether a member may be added."""

    rules: HarvestRules
    files: dict[str, str] = field(default_factory=dict)
    read: int = 0
    skipped: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0
    _folded: set[str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)

    def why_not(self, member: Member) -> str | None:
        """The first rule that ``member`` breaks; None if it may be kept."""
        unwanted = None if self.rules.want(member.path) else "not among the declared outputs"
        return (
            self._wrong_kind(member)
            or why_unsafe(member.path, self.rules.depth)
            or unwanted
            or self._over(member)
            or self._collides(member.path)
        )

    def _wrong_kind(self, member: Member) -> str | None:
        kinds = {
            "0": None,
            "\0": None,
            "1": "a hard link",
            "2": "a symbolic link",
            "3": "a character device",
            "4": "a block device",
            "6": "a FIFO",
            "5": "a folder below the last level that is read",
            "Y": f"more than {self.rules.members} names; the rest was not read",
            "Z": f"{member.link} bytes, over what may be harvested",
        }
        return kinds.get(member.kind, "neither a regular file nor a folder")

    def _over(self, member: Member) -> str | None:
        if len(self.files) >= self.rules.files:
            return f"more than {self.rules.files} files"
        if member.size > self.rules.file:
            return f"{member.size} bytes; at most {self.rules.file} a file"
        if self.read + member.size > self.rules.bytes:
            return f"more than {self.rules.bytes} bytes in all"
        return None

    def _collides(self, path: str) -> str | None:
        folded = _fold(path)
        if folded in self._folded or folded in self._folders:
            return "a name that another one differs from only by case or form"
        if any(parent in self._folded for parent in _parents(folded)):
            return "a path below what is a file"
        return None

    def add(self, member: Member, sha256: str) -> None:
        self.files[member.path] = sha256
        self.read += member.size
        folded = _fold(member.path)
        self._folded.add(folded)
        self._folders.update(_parents(folded))

    def refuse(self, member: Member, why: str) -> None:
        if len(self.refused) < MAX_REFUSED_LISTED:
            self.refused.append((shown(member.path), why))
        else:
            self.more += 1


def _fold(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
