"""Stages that a user asked for, beyond the one way through all of them.

A stage and those after it are made again in scopes of their own, ``plots#2``, on the results that exist; they
can end at a stage, and resume makes the others. A review or an improvement can be made once more on the paper
as it stands, in ``review#more_1``. A run that leaves out papers, or their review, has each idea end before
them; who asks for them later gets them, and the idea ends there. So nothing recorded is overwritten, and a replay repeats all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.record.journal import Journal
from orchestrator.record.notes import StageBegan, StageFailed, StageReached, StagesAsked
from orchestrator.record.pins import LeaveOut, ReviewPin
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
ENDS: dict[LeaveOut, str] = {"": STAGE_NAMES[-1], "paper": "critique", "review": "verify"}
"""The stage that an idea ends with, by what its run leaves out."""
LEFT_OUT = {what: STAGE_NAMES[STAGE_NAMES.index(last) + 1 :] for what, last in ENDS.items()}
"""The stages after it."""
MORE = "#more_"
"""In the scope of a stage that is made once more on the paper as it stands."""


@dataclass(frozen=True, slots=True)
class AskedStages:
    """What was asked for, in the order of the requests."""

    asked: tuple[StagesAsked, ...]

    def scope(self, stage: str) -> str:
        """The name of the stage's present scope."""
        last = STAGE_NAMES.index(stage)
        times = sum(STAGE_NAMES.index(one.again) <= last for one in self.asked if one.again)
        return f"{stage}#{times + 1}" if times else stage

    @property
    def last(self) -> str:
        """The stage to end at: the one that was asked for, else the last one that the run does not leave out,
        or that was asked for since.
        """
        way = [one.until for one in self.asked if not one.more]
        if way and way[-1]:
            return way[-1]
        return (
            max((self._usual, *filter(None, way)), key=STAGE_NAMES.index)
            if self._leaves
            else self._usual
        )

    @property
    def stops(self) -> bool:
        """Whether an idea that ends at :attr:`last` is only stopped there."""
        return STAGE_NAMES.index(self.last) < STAGE_NAMES.index(self._usual)

    @property
    def left_out(self) -> LeaveOut:
        """What of this idea is left out now."""
        if not self._leaves or self.more:
            return ""
        if self.last in LEFT_OUT["review"]:
            return ""
        return "review" if self.last in LEFT_OUT["paper"] else "paper"

    @property
    def _leaves(self) -> LeaveOut:
        return next((one.leave_out for one in self.asked if one.leave_out), "")

    @property
    def _usual(self) -> str:
        return ENDS[self._leaves]

    @property
    def reviewing(self) -> ReviewPin | None:
        """Other rules of reviewing for the way through the stages."""
        way = [one.reviewing for one in self.asked if not one.more and one.reviewing]
        return way[-1] if way else None

    @property
    def more(self) -> tuple[tuple[str, StagesAsked], ...]:
        """(scope, request) of each stage that is made once more on the paper as it stands. What was made so
        of a paper before it was written again is no part of this one.
        """
        after = max((n for n, one in enumerate(self.asked) if one.again), default=-1)
        numbered = ((n, one) for n, one in enumerate(self.asked) if one.more and n > after)
        return tuple((f"{one.more}{MORE}{n + 1}", one) for n, one in numbered)

    def scopes(self) -> tuple[str, ...]:
        """The present scopes of all stages, in their order."""
        return (*map(self.scope, STAGE_NAMES), *(scope for scope, _ in self.more))

    def ends(self) -> tuple[str, ...]:
        """The scopes at which the idea is finished: with its last stage, then with each that was made once
        more; the last one counts.
        """
        return (self.scope(self.last), *(scope for scope, _ in self.more))


def recorded_stages(journal: Journal, idea: str) -> AskedStages:
    """What the journal of the idea with this id says was asked for."""
    return AskedStages(tuple(journal.notes(StagesAsked, below=f"idea/{idea}")))


def asked_stages(
    ports: Ports, known: Sequence[StagesAsked], new: StagesAsked | None
) -> AskedStages:
    """What was asked for before, and ``new``. The same again while it is under way is to go on with it, and so
    is a stage that was never reached. To go on to the end is news only after a stop.
    """
    for note in known:
        ports.note(note)
    before = AskedStages(tuple(known))
    if new is None:
        return before
    began = {note.name for note in ports.journal.notes(StageBegan, below=ports.scope)}
    if new.again not in began:
        new = replace(new, again="")
    reached = _reached(before, ports)
    if new == StagesAsked() and not (before.stops and reached):
        return before
    if known and known[-1] == new and not reached and not _failed(before, ports):
        return before
    ports.note(new)
    return AskedStages((*known, new))


def _reached(known: AskedStages, ports: Ports) -> bool:
    """Whether the last of what was asked for is done."""
    last = known.asked[-1] if known.asked else StagesAsked()
    scope = known.more[-1][0] if last.more else known.scope(last.until or known.last)
    return bool(ports.journal.notes(StageReached, below=ports.within(scope).scope))


def _failed(known: AskedStages, ports: Ports) -> bool:
    scopes = (ports.within(scope).scope for scope in known.scopes())
    return any(ports.journal.notes(StageFailed, below=scope) for scope in scopes)
