"""A job ends at its total CPU time, however many processes share the work.

tries: to use three times as much, in four children of which each uses less
parts: time.cpu
family: 7
kinds: experiment, latex, editor
lower: cpu_time 1s
ends: out of cpu time
"""

import os
import time

from probing import GIVEN, attempt, done

EACH, CHILDREN = 0.75 * GIVEN["cpu_time"], 4


def burn() -> None:
    until = time.monotonic() + CHILDREN * EACH  # gVisor counts more CPU time than there was
    while time.process_time() < EACH or time.monotonic() < until:
        pass
    os._exit(0)


def work() -> str:
    children = []
    for _ in range(CHILDREN):
        child = os.fork()
        if child == 0:
            burn()
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    used = os.times()
    return f"{used.children_user + used.children_system:.1f} s"


attempt("three times the CPU time", work)
done()
