"""A flat TOML file, read strictly: each value with the line of its key; and the packages of uv's lock.

The only importer of ``tomllib``, which tells no places: a key stands at the first line that begins with it,
since tables and values over several lines are refused.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.errors import BadFile
from orchestrator.core.files import utf8_text
from orchestrator.core.places import Place

_MOST = 64 << 10  # bytes of a file
_SYNTAX = "syntax"
Flat = str | int | float | bool


@dataclass(frozen=True, slots=True)
class TomlValue:
    """A value of the file, and where its key stands. ``value`` is None for a form that no key has."""

    value: Flat | None
    place: Place


def read_flat_toml(path: Path) -> dict[str, TomlValue]:
    """Each key of the file; empty where there is no file. Raises :class:`BadFile`."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as problem:
        raise BadFile(
            f"cannot read {path.name}",
            where=str(path),
            why=problem.strerror or str(problem),
            todo="check your rights to read it, or remove it",
        ) from problem
    if len(raw) > _MOST:
        raise BadFile(
            "the file is too large",
            where=str(path),
            why=f"more than {_MOST} bytes",
            todo="write settings alone into it, one a line",
        )
    text = utf8_text(raw, "the file", str(path), BadFile)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise _not_toml(path, str(problem)) from None  # its words may hold a line of the file
    except RecursionError:
        raise _not_toml(path, "it is nested too deeply") from None
    lines = text.splitlines()
    return {key: TomlValue(_flat(value), _place(path, key, lines)) for key, value in found.items()}


def read_uv_lock(path: Path) -> tuple[dict[str, Any], ...]:
    """The tables of the packages in ``uv.lock``, which a program writes. Raises :class:`BadFile`."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))["package"]
        return tuple(dict(one) for one in found if "version" in one)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadFile(
            "this is no lock of uv's",
            where=str(path),
            why=f"{type(problem).__name__}: {problem}"[:200],
            todo="restore it: `git checkout uv.lock`",
        ) from problem


def _not_toml(path: Path, why: str) -> BadFile:
    at = re.search(r"line (\d+), column (\d+)", why)
    place = Place(str(path), int(at[1]), int(at[2])) if at else Place(str(path))
    return BadFile.at(
        place,
        "this is not valid TOML",
        rule=_SYNTAX,
        todo='write one setting a line, texts in quotes: model = "openai/gpt-5"',
    )


def _flat(value: object) -> Flat | None:
    if isinstance(value, str | int | float) and "\n" not in str(value):
        return value
    return None


def _place(path: Path, key: str, lines: list[str]) -> Place:
    begins = re.compile(rf"""\s*\[{{0,2}}\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    line = next((n for n, text in enumerate(lines, start=1) if begins.match(text)), 0)
    return Place(str(path), line, 1 if line else 0, key)
