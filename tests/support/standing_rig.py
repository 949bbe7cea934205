"""A folder of results with a run in each state: one made on scripted edges, the others cut from it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from orchestrator.api.export import FileExporter
from orchestrator.core.research import Failure, Idea
from orchestrator.record.blobs import BlobStore
from orchestrator.record.heard import Heard
from orchestrator.record.journal import Journal, Listener, Mode
from orchestrator.record.notes import IdeaEnded, StageBegan, StageFailed, StagesAsked
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps
from orchestrator.research.sweep import SweepModel
from tests.support import run_rig as rig
from tests.support.journal_rig import idea_started, run_started

EVIL = "evil \x1b[2J\u202e name"
FINISHED = "20260101_000000"
STOPPED, UNFINISHED, FAILED = "20260102_000000", "20260103_000000", "20260104_000000"
WORKING, HOSTILE, UNREADABLE = "20260105_000000", "20260106_000000", "20260107_000000"
TORN = b'{"at":"2026-01-01T00:00:0'


def results_of_each_state(results: Path, listener: Listener = lambda _: None) -> Path:
    """Fill ``results``; ``listener`` hears the run that finishes. Returns the folder of its runs."""
    runs = results / "quick"
    rig.run_scripted(runs / FINISHED, SweepModel(), Mode.RECORD, listener)
    for name in (STOPPED, UNFINISHED, FAILED, WORKING):
        shutil.copytree(runs / FINISHED, runs / name)
    _stop(runs / STOPPED)
    for name in (UNFINISHED, WORKING):
        _cut(runs / name, b'"scope":"idea/', b"/plots")
    _fail(runs / FAILED)
    _hostile(runs / HOSTILE)
    (runs / UNREADABLE).mkdir()
    (runs / UNREADABLE / "journal.jsonl").write_bytes(b"\x1b]0;owned\x07\n")
    return runs


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """As while a process works on the run: its lock is held, by an open file of its own."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def idea_journal(folder: Path) -> Path:
    """The one idea's journal."""
    return next(folder.glob("*/journal.jsonl"))


def _stop(folder: Path) -> None:
    asked = StagesAsked(again="plots", until="plots")
    where = replace(rig.place(folder, Mode.RESUME), asked=asked)
    edges = rig.scripted_edges(SweepModel())
    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=_unheard)
    research(rig.setup(folder.parent.parent / "quick"), where, tools)


def _unheard(_event: Heard) -> None:
    pass


def _cut(folder: Path, *first: bytes) -> None:
    """Cut the idea's journal before the stage of plots, in the middle of a line; the run's before its end."""
    own = idea_journal(folder)
    lines = own.read_bytes().splitlines(keepends=True)
    end = next(n for n, line in enumerate(lines) if all(part in line for part in first))
    own.write_bytes(b"".join(lines[: end + 2]) + TORN)
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines[:-2]))


def _fail(folder: Path) -> None:
    _cut(folder, b'"scope":"idea/', b"/plots")
    own = idea_journal(folder)
    own.write_bytes(own.read_bytes().removesuffix(TORN))
    idea = Journal(own, BlobStore(own.parent / "blobs", BlobStore(folder / "blobs")))
    scope = next(line.scope for line in reversed(idea.events) if hasattr(line, "scope"))
    scope = "/".join(scope.split("/")[:2])
    failure = Failure(stage="plots", error="StageFailed", what="no figure was drawn\nat all")
    idea.note(f"{scope}/plots", StageFailed(failure=failure))
    idea.seal()
    run = Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"))
    run.note(f"run/{scope[5:]}", IdeaEnded(idea=scope[5:], status="failed"))
    run.seal(ideas={own.parent.name: idea.head})


def _hostile(folder: Path) -> None:
    folder.mkdir()
    Journal(folder / "journal.jsonl", BlobStore(folder / "blobs")).append(run_started(scale=EVIL))
    idea = Idea(name=EVIL, title=EVIL, experiment="x")
    own = Journal(folder / "evil" / "journal.jsonl", BlobStore(folder / "evil" / "blobs"))
    own.append(idea_started(idea))
    failure = Failure(stage="novelty", error="E", what=EVIL)
    own.note(f"idea/{idea.id}/novelty", StageBegan(name="novelty"))
    own.note(f"idea/{idea.id}/novelty", StageFailed(failure=failure))
