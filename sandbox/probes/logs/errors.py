"""A flood of errors, byte by byte, ends the job as well.

tries: four times the output that is allowed, as single bytes and terminal escapes
parts: logs.flood
family: 5
kinds: experiment, latex, editor
lower: logs 64KiB
ends: log flood
"""

import os

from probing import GIVEN, attempt, done


def flood() -> str:
    wrote = 0
    while wrote < 4 * GIVEN["logs"]:
        wrote += os.write(2, b"\x1b[2J") + os.write(2, b"\xff")
    return f"{wrote} bytes"


attempt("four times the output", flood)
done()
