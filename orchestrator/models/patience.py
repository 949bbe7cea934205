"""How long a model adapter retries, and the clock that tests replace."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Retry limits, in seconds except for ``tries``. Each pause doubles, up to ``longest_pause``.
    ``timeout`` bounds one request. No request starts once ``total`` would have passed before it: a
    call takes at most ``total + timeout``.
    """

    tries: int = 8
    timeout: float = 600.0
    first_pause: float = 2.0
    longest_pause: float = 120.0
    total: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTiming:
    """What a test replaces: sleeping, the monotonic clock, and the jitter's random fraction (0–1)."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
