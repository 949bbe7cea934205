"""What a probe says: one JSON line for each attempt, and one at its own end.

A probe says ``attempt("mount a tmpfs", work)``; ``work`` gets through if it ends without an error of
the system's, and does not return ``False``. What it returns otherwise is told as what was seen.
``GIVEN`` has the limits of the job, and what the host has laid out for probes; ``BARE`` says
that this is the deliberately bare container, where every attempt must get through.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

GIVEN: dict[str, Any] = json.loads(Path(__file__).with_name("given.json").read_text())
BARE: bool = GIVEN["bare"]
LIBC = ctypes.CDLL(None, use_errno=True)


def attempt(name: str, work: Callable[[], object]) -> bool:
    """Try ``work``, tell what came of it, and return whether it got through."""
    try:
        got = work()
    except (OSError, ValueError, MemoryError) as error:
        through, saw = False, getattr(error, "strerror", None) or str(error) or type(error).__name__
    else:
        through, saw = got is not False, "" if isinstance(got, bool) or got is None else str(got)
    tell(attempt=name, through=through, saw=saw[:400])
    return through


def stop(why: str) -> NoReturn:
    """End an attempt that did not get through; ``why`` is what was seen."""
    raise OSError(errno.EPERM, why)


def plant(name: str) -> None:
    """Tell the host of a file that was left for it to stumble over."""
    tell(planted=shown(name))


def fair(name: str) -> None:
    """Tell the host of a file that may come home, so that it is seen to look at all."""
    tell(fair=shown(name))


def shown(name: str) -> str:
    """A foul name as the host writes it into its records."""
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
    return text if len(text) <= 200 else text[:200] + "…"


def done() -> None:
    """The probe came to its own end; without this line its words count for nothing."""
    tell(done=True)


def tell(**said: object) -> None:
    """One line, at once: the next instruction may be the last."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def call(result: int) -> int:
    """A C function's result; its errno as an error."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
