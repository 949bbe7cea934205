"""Who ignores that it is to end is killed, and so is who leaves its session.

tries: to ignore every signal that can be ignored, and to live on in a child's child that has a
    session of its own
parts: time.kill, time.wall
family: 7
kinds: experiment, latex, editor
lower: wall 2s, grace 1s
ends: timed out
"""

import os
import signal
import time

from probing import GIVEN, attempt, done

LASTS = GIVEN["wall"] + GIVEN["grace"] + 6

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM):
    signal.signal(number, signal.SIG_IGN)


def live_on() -> str:
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(LASTS)
        os._exit(0)
    time.sleep(LASTS)
    return f"both were there after {LASTS:g} s"


attempt("to live on", live_on)
done()
