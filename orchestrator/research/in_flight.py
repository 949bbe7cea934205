"""Ideas in flight: each in a thread of its own, straight through its stages; the run's thread waits for them.

An idea that fails or is slow holds up nothing else. What stops the run (Ctrl-C, a refused key, a full disk)
stops all of them: their calls end, and what was out is known as asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from orchestrator.core.errors import Interrupted

_R = TypeVar("_R")
_LISTENING = 0.2  # seconds until a signal reaches the waiting thread


def in_flight(
    works: Iterator[Callable[[], _R]], most: int, stop: Event, ended: Callable[[_R], None]
) -> None:
    """Do each of ``works``, ``most`` at a time; ``ended`` receives each result in this thread, as it comes.

    A single one at a time is done in this thread. Raises what a work raises, after ``stop`` was set and all
    others have ended.
    """
    if most == 1:
        for work in works:
            ended(work())
        return
    out: set[Future[_R]] = set()
    with ThreadPoolExecutor(most, thread_name_prefix="idea") as pool:
        try:
            for work in works:
                out.add(pool.submit(work))
                while len(out) >= most:
                    out = _collected(out, ended)
            while out:
                out = _collected(out, ended)
        except BaseException as error:  # noqa: BLE001 - raised again, once the others have ended
            stop.set()
            raise _first(error, out) from None


def _collected(out: set[Future[_R]], ended: Callable[[_R], None]) -> set[Future[_R]]:
    """The works that are still out, after at least a moment."""
    done, left = wait(out, timeout=_LISTENING, return_when=FIRST_COMPLETED)
    for one in done:
        ended(one.result())
    return left


def _first(error: BaseException, out: set[Future[_R]]) -> BaseException:
    """What ended the run: where a work only says that it was stopped, the error that stopped it."""
    wait(out)
    others = (one.exception() for one in out if not one.cancelled())
    causes = (other for other in others if other and not isinstance(other, Interrupted))
    return next(causes, error) if isinstance(error, Interrupted) else error
