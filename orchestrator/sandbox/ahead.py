"""Containers made ahead of their jobs, and removed behind them, by threads of their own.

A job waits for neither: while a model thinks, or another job runs, the next container is made up to
its gate. At most one of a shape is kept, and few in all; each serves one job, or none. What could
not be made is not told: the job makes its own, and gets the reason. What could not be removed is
told to the next job, or at the end.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, Protocol, TypeVar

from orchestrator.core.errors import AisciError

MOST = 3
"""How many wait at most: an experiment's, an editor's, a paper's."""


class Closing(Protocol):
    """What is made ahead: one thread has it at a time, and its last one closes it."""

    def close(self) -> None: ...


Made = TypeVar("Made", bound=Closing)


class Ahead(Generic[Made]):
    """Makes things by shape in the background, at most one of each; thread-safe."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, Future[Made]] = OrderedDict()
        self._removals: list[Future[None]] = []
        self._lock = threading.Lock()
        self._makers = ThreadPoolExecutor(1, "ahead")
        self._removers = ThreadPoolExecutor(2, "behind")
        self._closed = False

    def want(self, shape: Hashable, make: Callable[[], Made]) -> None:
        """Begin to make one for ``shape``, if none is there; the one unused for longest goes."""
        with self._lock:
            if self._closed or shape in self._made:
                return
            while len(self._made) >= self._most:
                self._remove(partial(_close, self._made.popitem(last=False)[1]))
            self._made[shape] = self._makers.submit(make)

    def take(self, shape: Hashable) -> Made | None:
        """The one of ``shape``, now the caller's; awaited if it is being made; or None."""
        with self._lock:
            future = self._made.pop(shape, None)
        if future is None or future.cancel():  # not begun: the caller is as quick
            return None
        try:
            return future.result()
        except AisciError:
            return None
        except BaseException:  # Ctrl-C while it is awaited
            self.later(partial(_close, future))
            raise

    def improve(self, act: Callable[[Made], None]) -> None:
        """Do ``act`` to each that waits; one with which that fails goes."""
        with self._lock:
            for shape, future in list(self._made.items()):
                if not future.done() or future.exception() is not None:
                    continue
                try:
                    act(future.result())
                except (AisciError, OSError):
                    self._remove(partial(_close, self._made.pop(shape)))

    def later(self, remove: Callable[[], None]) -> None:
        """Remove something in the background; at once, after :meth:`close`."""
        with self._lock:
            if not self._closed:
                self._remove(remove)
                return
        remove()

    def check(self) -> None:
        """Raise why a removal failed: of each failed one once, the oldest first."""
        with self._lock:
            ended = [one for one in self._removals if one.done()]
            failed = [one for one in ended if one.exception() is not None]
            out = [one for one in self._removals if one not in ended]
            self._removals = failed[1:] + out
        for one in failed[:1]:
            one.result()

    def drop(self) -> bool:
        """Remove what waits, now. Returns whether there was any."""
        with self._lock:
            waiting = list(self._made.values())
            self._made.clear()
        for future in waiting:
            _close(future)
        return bool(waiting)

    def close(self) -> None:
        """Remove what waits, await all removals, and make no more. Raises why a removal failed."""
        with self._lock:
            self._closed = True
            waiting = list(self._made.values())
            self._made.clear()
        self._makers.shutdown(cancel_futures=True)
        for future in waiting:  # side by side
            self._remove(partial(_close, future))
        self._removers.shutdown()
        self.check()

    def _remove(self, remove: Callable[[], None]) -> None:
        self._removals.append(self._removers.submit(remove))


def _close(future: Future[Made]) -> None:
    """Close what was made; what was not made took its parts away itself."""
    if future.cancel():
        return
    try:
        made = future.result()
    except (AisciError, CancelledError):
        return
    made.close()
