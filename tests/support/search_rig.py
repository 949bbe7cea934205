"""Engines that search a loopback, on a clock whose waiting takes no time and is counted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.core.literature import EngineAnswer, Found, PaperRef, Query
from orchestrator.literature.engines.limiter import Clock, LeftOut, Limiter, Rate
from orchestrator.literature.engines.opening import open_sources
from orchestrator.literature.loopback.server import Loopback
from orchestrator.literature.sources import Sources

NOW = 1_800_000_000.0
QUICK = Rate(0.1, alone=True)


@dataclass
class Waited:
    """A clock that stands still but for what it was asked to wait, and for :attr:`time` itself."""

    time: float = field(default_factory=time.time)
    slept: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.time += seconds

    @property
    def waited(self) -> float:
        return sum(self.slept)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, sleep=self.sleep)


def opened(
    served: Loopback,
    folder: Path,
    *engines: str,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    seconds: float = 60.0,
    fresh: bool = False,
) -> Sources:
    """The port Literature over a loopback; ``folder`` keeps limits and answers."""
    addresses = {
        f"AISCI_{name.upper()}_URL": served.address(name) for name in ("openalex", "crossref")
    }
    named = [(name, served.address(name)) for name in engines]
    return open_sources(
        named,
        {**addresses, **(environ or {})},
        folder=folder,
        seconds=seconds,
        clock=clock or Waited().clock,
        fresh=fresh,
    )


def only(found: Found) -> EngineAnswer:
    """The answer of the only engine."""
    (answer,) = found.engines
    return answer


def ask(sources: Sources, text: str = "grokking", limit: int = 10) -> EngineAnswer:
    return only(sources.search(Query(text, limit)))


def record(title: str = "A Title of Words", **changes: object) -> PaperRef:
    """A paper of OpenAlex, but for ``changes``."""
    plain: dict[str, object] = {
        "key": "one2020title", "authors": ("Ada One",), "year": 2020, "source": "openalex",
    }  # fmt: skip
    return PaperRef(title=title, **(plain | changes))  # type: ignore[arg-type]


def limiter(folder: Path, waited: Waited, key: str = "", rate: Rate = QUICK) -> Limiter:
    return Limiter("one", rate, key=key, folder=folder, clock=waited.clock)


def granted(one: Limiter, until: float, usd: float = 0.0) -> bool:
    with suppress(LeftOut), one.turn(until, usd):
        return True
    return False


@contextmanager
def raw_server(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that says what ``speak`` writes to each connection."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                with line, suppress(OSError):
                    line.recv(65536)
                    speak(line)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=5)
