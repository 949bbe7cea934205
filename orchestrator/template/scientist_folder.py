"""Reading a results folder of the AI Scientist (v1): bytes of known files, within bounds, nothing opened.

A stranger may have made the folder. Links, devices and pipes are not followed or opened, pickles and
archives are never read, and each file that is left out is named with the reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import UnknownName
from orchestrator.core.filenames import shown, why_unsafe
from orchestrator.core.files import why_not_utf8
from orchestrator.core.untrusted import NotPlain, read_plain

MOST_LEFT_OUT = 200  # files that are named
_MOST_ENTRIES = 20_000  # names that are looked at
_MOST_FILES = 2000
_MOST_BYTES = 256 << 20  # of all files
_DEPTH = 2  # a folder and a file in it
_MIB = 1 << 20
_PARENTS = 2  # folders above, in which a list of ideas is looked for
IDEAS = "ideas.json"

_KINDS: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), most)
    for pattern, most in (
        (r"[^/]+\.py", _MIB),
        (r"notes\.txt|prompt\.json|seed_ideas\.json|ideas\.json", 4 * _MIB),
        (r"review(?:_improved)?\.txt", _MIB),
        (r"run_(?:0|[1-9]\d?)/final_info\.json", 2 * _MIB),
        (r"[^/]+\.(?:png|jpe?g)", 20 * _MIB),
        (r"[^/]+\.pdf", 64 * _MIB),
        (r"latex/[^/]+\.(?:tex|bib|sty|cls|bst)", 4 * _MIB),
        (r"latex/[^/]+\.(?:png|jpe?g|pdf)", 20 * _MIB),
    )
)
"""What is read, and the largest size of each in bytes."""
_WHY_NOT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (r".*\.(?:npy|npz|pkl|pickle|pt|pth|ckpt|joblib|h5)", "it can run code when it is opened"),
        (r"(?:.*_aider|log|.*\.log)\.?(?:txt|log)?", "it is a log"),
        (r"latex/[^/]+\.(?:aux|log|out|bbl|blg|toc|synctex\.gz|fls|fdb_latexmk)", "LaTeX made it"),
        (r"run_\d+/final_info\.json", "only run_0 to run_99 are read"),
        (r"run_\d+/.*", "of a run, only final_info.json is read"),
    )
)
_RESULTS = re.compile(r"run_\d+(?:/final_info\.json)?/?")
"""What is a run's results, or in the place of its folder: named before all else that is left out."""
_A_FOLDER = "a folder is in the place of this file"
_PAPER = "latex/template.tex"


@dataclass(frozen=True, slots=True)
class ScientistFolder:
    """The files that were read, by their path, and (path, reason) of those that were left out.

    ``more`` are left out beyond those that are named.
    """

    name: str
    files: Mapping[str, bytes]
    left_out: tuple[tuple[str, str], ...]
    more: int


def read_scientist_folder(folder: Path) -> ScientistFolder:
    """The folder's files, and the list of ideas of a folder above it. Raises :class:`UnknownName`."""
    if not folder.is_dir() or folder.is_symlink():
        raise UnknownName(
            _no_folder(folder),
            where=str(folder),
            todo="name a results folder of the AI Scientist: ./results/TEMPLATE/DATE_TIME_IDEA",
        )
    files: dict[str, bytes] = {}
    left: list[tuple[str, str]] = []
    total = 0
    for path in _entries(folder, left):
        why, data = _read(folder / path, path, _MOST_BYTES - total, len(files))
        if data is None:
            left.append((shown(path), why))
        else:
            files[path], total = data, total + len(data)
    left.sort(key=lambda row: not _RESULTS.fullmatch(row[0]))
    if IDEAS not in files:
        files |= _ideas_above(folder.resolve())
    return ScientistFolder(
        folder.resolve().name,
        dict(sorted(files.items())),
        tuple(left[:MOST_LEFT_OUT]),
        max(len(left) - MOST_LEFT_OUT, 0),
    )


def _no_folder(place: Path) -> str:
    if place.is_symlink():
        return "this is a link, not a folder"
    return "this is a file, not a folder" if place.exists() else "no such folder"


def _entries(folder: Path, left: list[tuple[str, str]]) -> Iterator[str]:
    """The path of each entry that is no folder, two levels deep; a folder that is not entered is added to
    ``left``.
    """
    waiting, count = [""], 0
    while waiting:
        inside = waiting.pop(0)
        try:
            with os.scandir(folder / inside) as found:
                entries = sorted(_first(found, _MOST_ENTRIES - count), key=lambda one: one.name)
        except OSError as error:
            left.append((shown(inside), f"it cannot be read: {error.strerror}"))
            continue
        count += len(entries)
        if count >= _MOST_ENTRIES:
            left.append((shown(inside) or ".", f"the folder has over {_MOST_ENTRIES} entries"))
        for entry in entries:
            path = f"{inside}{entry.name}"
            if not entry.is_dir(follow_symlinks=False):
                yield path
            elif not inside and re.fullmatch(r"run_\d{1,3}|latex", entry.name):
                waiting.append(f"{path}/")
            elif entry.name not in {"__pycache__", ".git"}:
                file = any(pattern.fullmatch(path) for pattern, _ in _KINDS)
                why = "it is no folder of a run or of the paper"
                left.append((shown(f"{path}/"), _A_FOLDER if file else why))


def _first(entries: Iterator[os.DirEntry[str]], most: int) -> list[os.DirEntry[str]]:
    return [entry for _, entry in zip(range(most), entries, strict=False)]


def _read(place: Path, path: str, room: int, count: int) -> tuple[str, bytes | None]:
    """Why a file is left out, and None; or its bytes."""
    most = next((most for pattern, most in _KINDS if pattern.fullmatch(path)), None)
    if why := why_unsafe(path, _DEPTH):
        return why, None
    if most is None:
        return _why_none(place, path), None
    if count >= _MOST_FILES or room <= 0:
        return (
            f"more than {_MOST_FILES} files, or {_MOST_BYTES >> 20} MiB in all, are too many",
            None,
        )
    try:
        data = read_plain(place, min(most, room))
    except (NotPlain, OSError) as error:
        if isinstance(error, NotPlain):
            return str(error), None
        return f"it cannot be read: {error.strerror}", None
    why = why_not_utf8(data) if path == _PAPER else ""
    return (f"it is not UTF-8 text: {why}; save it as UTF-8", None) if why else ("", data)


def _why_none(place: Path, path: str) -> str:
    """Why a file of no kind that is read is left out."""
    if re.fullmatch(r"run_\d+|latex", path):
        return "a link is in its place" if place.is_symlink() else "it is no folder"
    known = (why for pattern, why in _WHY_NOT if pattern.fullmatch(path))
    return next(known, "it is no part of an idea's results")


def _ideas_above(folder: Path) -> dict[str, bytes]:
    """The list of ideas in the nearest folder above that has one."""
    most = next(most for pattern, most in _KINDS if pattern.fullmatch(IDEAS))
    for above in folder.parents[:_PARENTS]:
        try:
            return {IDEAS: read_plain(above / IDEAS, most)}
        except (NotPlain, OSError):
            continue
    return {}
