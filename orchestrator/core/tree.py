"""Canonical JSON, its hash, and a tree of files as paths and hashes.

Files travel as a :class:`Tree`: paths and hashes, never host paths. The bytes behind a hash are
in a content-addressed store, so a value fits one journal line however large the files are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

UNWRITTEN = {"unwritten": True}
"""The metadata of a field that is left out of the JSON where it has its default: what was written before the
field was there has the same bytes still.
"""


def canonical(value: Any) -> bytes:
    """JSON bytes that are the same for equal values: sorted keys, no spaces, no NaN."""
    text = json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_as_json,
    )
    return text.encode(errors="backslashreplace")  # lone surrogates have no UTF-8 form


def _as_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((one, getattr(value, one.name)) for one in fields(value))
        return {
            one.name: given
            for one, given in pairs
            if "unwritten" not in one.metadata or given != one.default
        }
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def digest(value: Any) -> str:
    """SHA-256, in hex, of bytes, text or the canonical JSON of a value."""
    raw = value.encode() if isinstance(value, str) else value
    return hashlib.sha256(raw if isinstance(raw, bytes) else canonical(raw)).hexdigest()


@dataclass(frozen=True, slots=True)
class Tree:
    """Regular files by relative POSIX path, each with the SHA-256 of its bytes; sorted."""

    files: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, files: Mapping[str, str] | Iterable[tuple[str, str]]) -> Tree:
        return cls(tuple(sorted(dict(files).items())))

    def as_dict(self) -> dict[str, str]:
        return dict(self.files)

    def paths(self) -> tuple[str, ...]:
        return tuple(path for path, _ in self.files)

    def get(self, path: str) -> str | None:
        return self.as_dict().get(path)

    def updated(self, other: Mapping[str, str] | Tree) -> Tree:
        """This tree with ``other``'s files added or put in place of its own."""
        return Tree.of(self.as_dict() | dict(other.files if isinstance(other, Tree) else other))

    def under(self, prefix: str) -> Tree:
        """The files below the folder ``prefix``, with their whole paths."""
        head = prefix.rstrip("/") + "/"
        return Tree(tuple(pair for pair in self.files if pair[0].startswith(head)))

    def without(self, path: str) -> Tree:
        """This tree less the file, or the whole folder, ``path``."""
        gone = {path, *self.under(path).paths()}
        return Tree(tuple(pair for pair in self.files if pair[0] not in gone))
