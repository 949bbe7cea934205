"""How long a model's adapter tries, and what a test replaces of the world around it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to try: seconds, but for ``tries``. Each pause doubles, up to ``longest_pause``.

    ``timeout`` bounds one request. Once ``total`` would be over before the next request could
    start, none is made: a call takes at most ``total + timeout``.
    """

    tries: int = 8
    timeout: float = 600.0
    first_pause: float = 2.0
    longest_pause: float = 120.0
    total: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTiming:
    """What a test replaces: waiting, the seconds that passed, a fraction (0–1) for the jitter."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
