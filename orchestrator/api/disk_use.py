"""What runs and this user's caches take on the disk, by run and by kind."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.find_run import id_of, is_run, run_folders
from orchestrator.api.own_folders import record_folders
from orchestrator.core.files import cache_home, data_home
from orchestrator.core.untrusted import NotPlain, folder_entries
from orchestrator.record.paths import beside_record

KINDS_OF_FILES = ("record", "results", "paper", "history", "pages", "other")
_BLOCK = 512  # bytes of st_blocks, on every Linux
_OURS = {
    "wheels": "packages of templates",
    "locks": "locks",
    "literature": "kept searches",
    "packages": "package lists of images",
}
_KEPT = {
    "literature": "your library of papers", "baselines": "kept baselines",
    "data": "staged data sets", "spent": "what was spent each month",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSize:
    """A run's bytes on the disk, by kind: what an audit needs is the ``record``."""

    run: str
    folder: Path
    kinds: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSize:
    """A folder that aisci keeps for this user. What is not ``made_again`` is the user's own."""

    what: str
    folder: Path
    size: int
    made_again: bool


def sizes_of_runs(results: Path) -> tuple[RunSize, ...]:
    """Every run below a folder of results, the largest first."""
    runs = (size_of_run(folder) for folder in run_folders(results) if is_run(folder))
    return tuple(sorted(runs, key=lambda one: -one.total))


def sizes_of_records(results: Path) -> tuple[RunSize, ...]:
    """The records that are no run's, the largest first."""
    return tuple(sorted(map(size_of_run, record_folders(results)), key=lambda one: -one.total))


def size_of_run(folder: Path) -> RunSize:
    """One run; what cannot be read counts as nothing, and no link is followed."""
    kinds: Counter[str] = Counter(dict.fromkeys(KINDS_OF_FILES, 0))
    for name, size in _sized(folder):
        kinds[kind_of_file(name)] += size
    return RunSize(run=id_of(folder), folder=folder, kinds=dict(kinds))


def kind_of_file(name: str) -> str:
    """The kind of the file of this path below a run's folder."""
    *folders, last = name.split("/")
    if not beside_record(name) and last != "audit.html":
        return "record"
    inside = folders[1] if len(folders) > 1 else ""
    if inside.startswith("run_"):
        return "results"
    if inside == "history.git":
        return "history"
    if inside == "latex" or last.endswith(".pdf"):
        return "paper"
    return "pages" if last in {"report.html", "audit.html"} else "other"


def sizes_of_caches() -> tuple[CacheSize, ...]:
    """The folders below ``~/.cache/aisci`` and ``~/.local/share/aisci``, the largest first."""
    found = [
        CacheSize(
            what=words.get(folder.name, "other"),
            folder=folder,
            size=sum(size for _, size in _sized(folder)),
            made_again=made_again,
        )
        for home, words, made_again in ((cache_home(), _OURS, True), (data_home(), _KEPT, False))
        if home.is_dir()
        for folder in sorted(home.iterdir())
        if folder.is_dir() and not folder.is_symlink()
    ]
    return tuple(sorted(found, key=lambda one: -one.size))


def _sized(folder: Path) -> Iterator[tuple[str, int]]:
    try:
        for name, _ in folder_entries(folder):
            try:
                yield name, os.lstat(folder / name).st_blocks * _BLOCK
            except FileNotFoundError:  # a run at work replaced it
                continue
    except (NotPlain, OSError):
        return
