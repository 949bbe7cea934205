"""Turns at a service: one limiter per machine and service, in a file that every process locks.

The file says when the next request may go, until when the service wants none, and what is left of its
budget of the day. The kernel releases the lock of a process that dies.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from orchestrator.core.errors import DiskFull
from orchestrator.core.files import cache_home, write
from orchestrator.core.literature import EngineState
from orchestrator.core.untrusted import read_plain

_POLL = 0.05  # seconds between tries to get the lock
_UPDATE = 5.0  # seconds that an update waits for the lock
_LONGEST = 26 * 3600.0  # seconds that a limit can hold; a later time is from a clock that was wrong
_FURTHEST = 600.0  # seconds until the next turn: nobody waits so long for one
_MOST = 1 << 16  # bytes of the file


class LeftOut(Exception):
    """A service is left out of a search; ``wait`` is the time in seconds that it asked for."""

    def __init__(self, state: EngineState, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.state, self.why, self.wait = state, why, wait


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of the machine in seconds, and waiting; tests have their own."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Rate:
    """``interval`` seconds lie between requests; ``alone``: between the end of one and the next, since the
    service allows one connection.
    """

    interval: float
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _State:
    """``at`` is when it was written. ``key`` is a salted hash of the key that the limits but ``next``
    apply to.
    """

    at: float = 0.0
    next: float = 0.0
    closed_until: float = 0.0
    closed_as: EngineState = "busy"
    usd_left: float | None = None
    resets: float = 0.0
    salt: str = ""
    key: str = ""


class Limiter:
    """The turns of one service, for all ideas, runs and processes of a user of this machine."""

    def __init__(
        self,
        name: str,
        rate: Rate,
        *,
        key: str = "",
        folder: Path | None = None,
        clock: Clock = Clock(),
    ) -> None:
        self._name, self._rate, self._key, self._clock = name, rate, key, clock
        self._folder = folder or cache_home() / "literature" / "limits"

    @contextmanager
    def turn(self, until: float, usd: float = 0.0) -> Iterator[None]:
        """Wait for a turn to ask something that costs ``usd``, and hold it where one connection is allowed.

        Raises :class:`LeftOut`: the turn comes after ``until``, or the service wants no request now.
        """
        with self._lock(until):
            state = self._read()
            self._refuse(state, usd)
            at = max(self._clock.now(), state.next)
            if at > until:
                wait = at - self._clock.now()
                raise LeftOut("slow", f"others ask before; the turn comes in {wait:.0f} s")
            self._write(replace(state, next=at + self._rate.interval))
            if self._rate.alone:
                self._clock.sleep(max(0.0, at - self._clock.now()))
                try:
                    yield
                finally:
                    after = self._clock.now() + self._rate.interval
                    self._write(replace(self._read(), next=after))
        if not self._rate.alone:
            self._clock.sleep(max(0.0, at - self._clock.now()))
            yield

    def close(self, state: EngineState, seconds: float) -> None:
        """No request goes out for so many seconds: the service said so."""
        until = self._clock.now() + min(seconds, _LONGEST)
        self._update(closed_until=until, closed_as=state)

    def budget(self, usd_left: float, resets_in: float) -> None:
        """What the service said is left of its budget, and in how many seconds it is full again."""
        resets = self._clock.now() + min(max(resets_in, 0.0), _LONGEST)
        self._update(usd_left=usd_left, resets=resets)

    @property
    def usd_left(self) -> float | None:
        """What the service said last is left of this key's budget, if that is not full again yet."""
        state = self._read()
        current = state.key == self._mark(state.salt) and self._clock.now() < state.resets
        return state.usd_left if current else None

    def _update(self, **changes: Any) -> None:
        with self._lock(self._clock.now() + _UPDATE):
            state = self._read()
            salt = state.salt or secrets.token_hex(8)
            if state.key != self._mark(salt):
                # What was said to another key does not hold for this one.
                state = _State(next=state.next, salt=salt, key=self._mark(salt))
            self._write(replace(state, **changes))

    def _refuse(self, state: _State, usd: float) -> None:
        now = self._clock.now()
        if state.key != self._mark(state.salt):
            return  # another key has another budget
        if now < state.closed_until <= now + _LONGEST:
            raise LeftOut(state.closed_as, f"it asked to wait {_span(state.closed_until - now)}")
        short = usd and state.usd_left is not None and state.usd_left < usd
        if short and now < state.resets <= now + _LONGEST:
            why = f"its budget of today is used up; it is full again in {_span(state.resets - now)}"
            raise LeftOut("spent", why)

    def _mark(self, salt: str) -> str:
        return hashlib.sha256(f"{salt}:{self._key}".encode()).hexdigest()[:16] if salt else ""

    @contextmanager
    def _lock(self, until: float) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / f"{self._name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self._clock.now() >= until:
                        raise LeftOut("slow", "others ask before, one at a time") from None
                    self._clock.sleep(_POLL)
            yield
        finally:
            os.close(handle)

    @property
    def _file(self) -> Path:
        return self._folder / f"{self._name}.json"

    def _read(self) -> _State:
        """What the file says; one that is damaged, or from a clock that was set back, says nothing."""
        try:
            value = json.loads(read_plain(self._file, _MOST))
            told = {one.name: value[one.name] for one in fields(_State)}
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return _State()
        if not _in_form(told):
            return _State()
        state, now = _State(**told), self._clock.now()
        return state if state.at <= now + 1 and state.next <= now + _FURTHEST else _State()

    def _write(self, state: _State) -> None:
        """Raises OSError."""
        try:
            write(self._file, json.dumps(asdict(replace(state, at=self._clock.now()))))
        except DiskFull as full:
            raise OSError(errno.ENOSPC, full.why) from None


def _in_form(told: dict[str, Any]) -> bool:
    numbers = [told[name] for name in ("at", "next", "closed_until", "resets")]
    numbers += [] if told["usd_left"] is None else [told["usd_left"]]
    return (
        all(type(one) in {int, float} and -1e12 < one < 1e12 for one in numbers)
        and told["closed_as"] in ("busy", "spent")
        and isinstance(told["salt"], str)
        and isinstance(told["key"], str)
    )


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 3600:.1f} h" if seconds > 5400 else f"{seconds / 60:.0f} min"
