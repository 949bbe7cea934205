"""Progress that an experiment reports: lines ``progress: 0.25`` on its standard output.

The number is the share of the whole run that is done. It is a hint for people; no limit and no
verdict depends on it.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"^progress: (0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$", re.MULTILINE)
LOOK_BACK = 4096  # characters of output in which the last such line is looked for


def share_done(output: str) -> float | None:
    """The last share that ``output`` reports, from 0 to 1; None if it reports none."""
    found = _LINE.findall(output[-LOOK_BACK:])
    return float(found[-1]) if found else None


def seconds_left(elapsed: float, share: float | None) -> float | None:
    """Seconds to the end of a run that took ``elapsed`` seconds for ``share``, at the same pace."""
    return None if not share else elapsed * (1 - share) / share
