"""Processes that start processes come to an end.

tries: three times as many sleeping processes as are allowed
parts: processes.pids
family: 6
kinds: experiment, latex, editor
lower: pids 64
ends: out of pids
"""

import os
import signal
import time

from probing import GIVEN, attempt, done

children: list[int] = []


def multiply() -> str:
    while len(children) < 3 * GIVEN["pids"]:
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
    return f"{len(children)} at once"


attempt("three times as many processes", multiply)
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
done()
