"""A flood of output ends the job, and fills nothing on the host.

tries: eight times the output that is allowed, line by line
parts: logs.flood
family: 5
kinds: experiment, latex, editor
lower: logs 128KiB
ends: log flood
"""

import sys

from probing import GIVEN, attempt, done

LINE = "y" * 1023 + "\n"


def flood() -> str:
    count = 8 * int(GIVEN["logs"]) // len(LINE)
    for _ in range(count):
        sys.stdout.write(LINE)
    sys.stdout.flush()
    return f"{count} KiB"


attempt("eight times the output", flood)
done()
