"""A flood of output ends the job, and fills nothing on the host.

tries: eight times the output that is allowed, line by line, and to live on
parts: logs.flood
family: 5
kinds: experiment, latex, editor
lower: logs 128KiB
ends: log flood
"""

import sys
import time

from probing import GIVEN, attempt, done

LATER = 6  # seconds: what was written has its way to the host yet, and so has the end
LINE = "y" * 1023 + "\n"


def flood() -> str:
    count = 8 * int(GIVEN["logs"]) // len(LINE)
    for _ in range(count):
        sys.stdout.write(LINE)
    sys.stdout.flush()
    time.sleep(LATER)
    return f"{count} KiB"


attempt("eight times the output", flood)
done()
