"""A job ends at its wall time.

tries: to go on for six seconds more
parts: time.wall
family: 7
kinds: experiment, latex, editor
lower: wall 2s
ends: timed out
"""

import time

from probing import GIVEN, attempt, done

LONGER = 6  # seconds, so that a host that is late by a few is no host that forgets


def go_on() -> str:
    time.sleep(GIVEN["wall"] + LONGER)
    return f"it went on for {LONGER} s more"


attempt("six seconds more", go_on)
done()
