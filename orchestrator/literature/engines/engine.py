"""An engine: what one service is asked, how its answer is read, and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from orchestrator.core.literature import EngineAnswer, EngineState, PaperRef, Query
from orchestrator.core.sanitize import plain_line
from orchestrator.core.secrets import redact
from orchestrator.literature.engines.http import Answer, Call, NoAnswer, get
from orchestrator.literature.engines.kept_answers import KeptAnswers
from orchestrator.literature.engines.limiter import Clock, LeftOut, Limiter, Rate
from orchestrator.literature.engines.query_words import plain_words
from orchestrator.literature.engines.refusals import ServiceRefusal, whole_words

_T = TypeVar("_T")
_ODD = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError)
"""What parsers raise for an answer that nobody foresaw."""

CALL_SECONDS = 20.0  # of one request
_TRIES = 3
_BACK_OFF = 2.0  # seconds, doubled each time, where a service does not say how long
_PAUSE = 60.0  # seconds that a service which stays busy is left alone by everybody
_SPENT = 3600.0  # seconds, where a service whose budget is spent does not say how long
_SAID = 200  # characters of a service's own words
_MOST_PAPERS = 100  # of a search; services refuse to send more at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What an answer says of the service's budget in US dollars; ``resets`` in seconds from now."""

    usd: float = 0.0
    left: float | None = None
    resets: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service: its address, its limit, and the variables that may hold its key."""

    name: str
    title: str
    home: str
    rate: Rate
    keys: tuple[str, ...] = ()
    header: Callable[[str], Mapping[str, str]] = lambda _: {}
    """The header that a key travels in."""
    charge: Callable[[Answer], Charge] = lambda _: Charge()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchService(Service):
    """A service that finds papers. ``search`` makes the request from the server's address; ``read`` raises
    :class:`ServiceRefusal` for an answer without papers, and ValueError for one that is not in its format.
    ``usd`` is what one search costs the service's own budget.
    """

    search: Callable[[str, Query], Call]
    read: Callable[[Answer], tuple[PaperRef, ...]]
    usd: float = 0.0


@dataclass(slots=True)
class Counted:
    """How many requests went out, and what they cost in US dollars."""

    calls: int = 0
    usd: float = 0.0


class Caller:
    """A service as this machine asks it: with its key and its turns."""

    def __init__(
        self,
        service: Service,
        environ: Mapping[str, str],
        *,
        server: str = "",
        limits: Path | None = None,
        clock: Clock = Clock(),  # noqa: B008 - a frozen value
    ) -> None:
        self.service, self.clock = service, clock
        self.server = (server or service.home).rstrip("/")
        self.key = next(
            (key for name in service.keys if (key := environ.get(name, "").strip())), ""
        )
        self.limiter = Limiter(service.name, service.rate, key=self.key, folder=limits, clock=clock)
        self._environ = environ

    def ask(
        self,
        call: Call,
        read: Callable[[Answer], _T],
        until: float,
        counted: Counted,
        usd: float = 0.0,
    ) -> _T:
        """What ``read`` makes of the answer; a service that is busy for a moment is asked again.

        Raises :class:`LeftOut`, whose words hold no key.
        """
        try:
            return self._asked(call, read, until, counted, usd)
        except LeftOut as out:
            # Cut last: of a key that is cut in two, the first part would be no key to the redaction.
            why = plain_line(redact(whole_words(out.why), self._environ), limit=_SAID)
            raise LeftOut(out.state, why, out.wait) from None

    def _asked(
        self, call: Call, read: Callable[[Answer], _T], until: float, counted: Counted, usd: float
    ) -> _T:
        if self.key and not re.fullmatch(r"[!-~]+", self.key):
            raise LeftOut("refused", "its key has characters that no header can carry")
        if self.key:
            call = replace(call, headers={**call.headers, **self.service.header(self.key)})
        refusal = ServiceRefusal("busy", "it was not asked")
        for attempt in range(_TRIES):
            try:
                return read(self._once(call, until, counted, usd))
            except ServiceRefusal as refused:
                refusal = refused
            except NoAnswer as none:
                state: EngineState = "slow" if none.late else "unreachable"
                raise LeftOut("unreadable" if none.large else state, none.why) from None
            except OSError as error:
                why = f"the file of its limit cannot be written: {error.strerror}"
                raise LeftOut("refused", why) from None
            except _ODD as odd:
                raise LeftOut("unreadable", f"what it sent is not in its format: {odd}") from None
            wait = _BACK_OFF * 2**attempt if refusal.wait is None else refusal.wait
            if refusal.state != "busy" or wait > until - self.clock.now() or attempt == _TRIES - 1:
                break
            self.clock.sleep(wait)
        self._tell_others(refusal, usd)
        raise LeftOut(refusal.state, refusal.why, refusal.wait)

    def _once(self, call: Call, until: float, counted: Counted, usd: float) -> Answer:
        with self.limiter.turn(until, usd):
            left = min(until - self.clock.now(), CALL_SECONDS)
            if left <= 0:
                raise LeftOut("slow", "no time was left when its turn came")
            counted.calls += 1
            answer = get(call, left)
        charge = self.service.charge(answer)
        counted.usd += charge.usd
        if charge.left is not None:
            with suppress(OSError, LeftOut):  # the answer is here, noted or not
                self.limiter.budget(charge.left, charge.resets)
        return answer

    def _tell_others(self, refusal: ServiceRefusal, usd: float) -> None:
        """Every process of this machine leaves the service alone for the time that it asked for; without
        budget, it may be asked what is free.
        """
        if refusal.state not in {"spent", "busy"}:
            return
        usual = _SPENT if refusal.state == "spent" else _PAUSE
        wait = usual if refusal.wait is None else refusal.wait
        left = self.limiter.usd_left
        with suppress(OSError, LeftOut):
            if refusal.state == "spent" and left is not None and left < usd:
                self.limiter.budget(left, wait)
            else:
                self.limiter.close(refusal.state, wait)


class SearchEngine:
    """A service that is searched, and its earlier answers on this machine."""

    def __init__(self, caller: Caller, service: SearchService, kept: KeptAnswers | None) -> None:
        self.caller, self.service, self._kept = caller, service, kept

    def search(self, query: Query, until: float) -> tuple[tuple[PaperRef, ...], EngineAnswer]:
        """The papers, and what was done for them; nothing that the service does raises an error."""
        clock, service = self.caller.clock, self.service
        began, answer = clock.now(), EngineAnswer(engine=service.name)
        if not plain_words(query.text):
            return (), answer
        query = replace(query, limit=min(max(query.limit, 1), _MOST_PAPERS))
        question = service.name, self.caller.server, query.text, query.limit
        known = self._kept.get(question, began) if self._kept else None
        if known is not None:
            papers, age = known
            return papers, replace(answer, papers=len(papers), age=round(age, 1))
        counted = Counted()
        try:
            call = service.search(self.caller.server, query)
            papers = self.caller.ask(call, service.read, until, counted, service.usd)
        except LeftOut as out:
            papers, answer = (), replace(answer, state=out.state, why=out.why)
        else:
            if self._kept:
                self._kept.put(question, papers, clock.now())
        seconds = round(clock.now() - began, 3)
        return papers, replace(
            answer,
            papers=len(papers),
            calls=counted.calls,
            usd=round(counted.usd, 6),
            seconds=seconds,
        )
