"""A flood of errors, byte by byte, ends the job as well.

tries: four times the output that is allowed, as single bytes and terminal escapes, and to live on
parts: logs.flood
family: 5
kinds: experiment, latex, editor
lower: logs 64KiB
ends: log flood
"""

import os
import time

from probing import GIVEN, attempt, done

LATER = 6  # seconds: what was written has its way to the host yet, and so has the end


def flood() -> str:
    wrote = 0
    while wrote < 4 * GIVEN["logs"]:
        wrote += os.write(2, b"\x1b[2J") + os.write(2, b"\xff")
    time.sleep(LATER)
    return f"{wrote} bytes"


attempt("four times the output", flood)
done()
