"""Stages that a user asked for again: a stage is repeated in a scope of its own, ``plots#2``.

A retry repeats the stage and every stage after it on the results that exist, so that nothing recorded
is overwritten, and a replay repeats both.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.record.journal import Journal
from orchestrator.record.notes import StageBegan, StageRetried
from orchestrator.record.ports import Ports

STAGE_NAMES = (
    "novelty",
    "experiments",
    "plots",
    "critique",
    "notes",
    "writeup",
    "compile",
    "verify",
    "review",
    "improve",
)


@dataclass(frozen=True, slots=True)
class Retries:
    """The stages that were asked for again, in the order of the requests."""

    stages: tuple[str, ...]

    def scope(self, stage: str) -> str:
        """The name of the stage's present scope."""
        last = STAGE_NAMES.index(stage)
        times = sum(STAGE_NAMES.index(name) <= last for name in self.stages)
        return f"{stage}#{times + 1}" if times else stage


def recorded_retries(journal: Journal, idea: str) -> Retries:
    """The retries in the journal of the idea with this id."""
    return Retries(tuple(note.stage for note in journal.notes(StageRetried, below=f"idea/{idea}")))


def retries(ports: Ports, again: str) -> Retries:
    """The recorded retries, and that of the stage ``again`` (empty: none) if it has begun before."""
    known = ports.journal.notes(StageRetried, below=ports.scope)
    for note in known:
        ports.note(note)
    began = {note.name for note in ports.journal.notes(StageBegan, below=ports.scope)}
    if again in began:
        ports.note(added := StageRetried(stage=again))
        known = [*known, added]
    return Retries(tuple(note.stage for note in known))
