"""Tries of a step that a model or the editor can spoil: so many now, and as many after each resume.

A step whose tries ended without a usable answer is left for resume, never settled: its last try is
noted, and a resumed run continues the count. A replay makes the tries that are recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.asking import ATTEMPTS
from orchestrator.record.journal import Mode
from orchestrator.record.notes import TriesEnded
from orchestrator.record.ports import Ports


def tries(ports: Ports, most: int) -> Iterator[tuple[int, Ports]]:
    """The number of each try, from 1, and its ports: ``attempt_1``, …, below those of the step."""
    journal = ports.journal
    ended = journal.tries_ended.get(ports.scope, 0)
    for number in range(1, ended + most + 1):
        scoped = ports.within(f"attempt_{number}")
        replayed = journal.mode is Mode.REPLAY and number > ended > 0
        if replayed and not journal.recorded(scoped.scope):
            return
        yield number, scoped


def may_ask(ports: Ports, first: int) -> bool:
    """Whether to ask the model again in this scope, where a step's first request had the number
    ``first``, from 0.
    """
    journal, number = ports.journal, ports.asked
    ended = journal.tries_ended.get(ports.scope, 0)
    if journal.mode is Mode.REPLAY and number >= ended > first:
        return journal.recorded_call("model", ports.scope, number)
    return number < max(first, ended) + ATTEMPTS


def made_before(ports: Ports, number: int) -> bool:
    """Whether the try of this number was made before its step was last left: it is not to end the step again."""
    return number <= ports.journal.tries_ended.get(ports.scope, 0)


def leave(ports: Ports, made: int) -> None:
    """Note that ``made`` tries of :func:`tries` were made in all, so that a resumed run goes on after them."""
    before = ports.journal.tries_ended.get(ports.scope, 0)
    ports.note(TriesEnded(tries=max(before, made)), settled=False)
