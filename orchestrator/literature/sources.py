"""The port Literature: a template's own list, a user's library and the engines, searched side by side.

An engine that is slow, refused or spent is left out of a search, and the answer says so. A search never
fails for what a source does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.literature import (
    CheckedReference,
    EngineAnswer,
    Found,
    PaperRef,
    Query,
    References,
)
from orchestrator.literature.engines.checking import Registry, check_references
from orchestrator.literature.engines.engine import SearchEngine
from orchestrator.literature.engines.limiter import Clock
from orchestrator.literature.merging import merged

SEARCH_SECONDS = 60.0  # of one search, waiting for turns included
_CHECK_SECONDS = 120.0  # of all references of a paper
_T = TypeVar("_T")


class Shelf(Protocol):
    """Papers on this machine."""

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        """At most ``query.limit`` papers, best first."""


class Sources:
    """Implements :class:`orchestrator.core.protocols.Literature`."""

    def __init__(
        self,
        shelves: Sequence[tuple[str, Shelf]] = (),
        engines: Sequence[SearchEngine] = (),
        registry: Registry | None = None,
        *,
        seconds: float = SEARCH_SECONDS,
        clock: Clock = Clock(),  # noqa: B008 - a frozen value
    ) -> None:
        self._shelves, self._engines, self._registry = tuple(shelves), tuple(engines), registry
        self._seconds, self._clock = seconds, clock

    def search(self, query: Query, within: Deadline = FOREVER) -> Found:
        """See :class:`orchestrator.core.protocols.Literature`."""
        lists: list[tuple[PaperRef, ...]] = []
        answers: list[EngineAnswer] = []
        for name, shelf in self._shelves:
            papers = shelf.search(query)
            lists.append(papers)
            answers.append(EngineAnswer(engine=name, papers=len(papers)))
        seconds = min(self._seconds, within.left)
        until = self._clock.now() + seconds
        for papers, answer in _side_by_side(
            [_searching(engine, query, until) for engine in self._engines],
            [_late(engine, seconds) for engine in self._engines],
            replace(Deadline.after(seconds + _GRACE, "search"), stop=within.stop),
        ):
            lists.append(papers)
            answers.append(answer)
        every = merged(lists)
        return Found(
            papers=tuple(one for one in every if not one.retracted)[: query.limit],
            engines=tuple(answers),
            retracted=tuple(one.title for one in every if one.retracted),
        )

    def check(
        self, references: References, within: Deadline = FOREVER
    ) -> tuple[CheckedReference, ...]:
        """See :class:`orchestrator.core.protocols.Literature`."""
        registry, asked = self._registry, references.references
        if registry is None:
            why = "no engine was asked for"
            return tuple(
                CheckedReference(key=one.key, state="not checked", why=why) for one in asked
            )
        until = self._clock.now() + min(_CHECK_SECONDS, within.left)
        return check_references(registry, asked, until)


_Row = tuple[tuple[PaperRef, ...], EngineAnswer]


def _searching(engine: SearchEngine, query: Query, until: float) -> Callable[[], _Row]:
    return lambda: engine.search(query, until)


def _late(engine: SearchEngine, seconds: float) -> _Row:
    why = f"no answer within {seconds:.0f} s"
    answer = EngineAnswer(engine=engine.service.name, state="slow", seconds=seconds, why=why)
    return (), answer


def _side_by_side(
    work: Sequence[Callable[[], _T]], late: Sequence[_T], until: Deadline
) -> tuple[_T, ...]:
    """The result of each, or its ``late`` one if it takes longer; its thread then ends by itself. Raises
    :class:`Interrupted` after a stop.
    """
    ended: SimpleQueue[tuple[int, _T | BaseException]] = SimpleQueue()

    def one(number: int) -> None:
        try:
            ended.put((number, work[number]()))
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            ended.put((number, error))

    for number in range(len(work)):
        threading.Thread(target=one, args=(number,), daemon=True).start()
    rows, missing = dict(enumerate(late)), len(work)
    for seconds in until.waiting():
        if not missing:
            break
        with suppress(Empty):
            number, result = ended.get(timeout=seconds)
            if isinstance(result, BaseException):
                raise result
            rows[number] = result
            missing -= 1
    if until.stopped:
        raise until.spent("search")
    return tuple(rows[number] for number in range(len(work)))


_GRACE = 1.0  # seconds that an engine has to say itself that it was late
