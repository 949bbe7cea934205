"""A job ends at its wall time.

tries: to go on for twice that long
parts: time.wall
family: 7
kinds: experiment, latex, editor
lower: wall 2s
ends: timed out
"""

import time

from probing import GIVEN, attempt, done


def go_on() -> str:
    time.sleep(2 * GIVEN["wall"])
    return f"it ran for {time.process_time():.1f} CPU seconds and {2 * GIVEN['wall']:g} others"


attempt("twice the wall time", go_on)
done()
