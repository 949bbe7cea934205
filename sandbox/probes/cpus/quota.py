"""The job has no more CPU time in each second than the policy says.

tries: to work for two seconds on end without being held back for more than half of them
parts: cpus.quota
family: 7
kinds: experiment, latex, editor
lower: cpus 0.25
"""

import time

from probing import attempt, done, stop

SECONDS = 2.0
HELD_BACK = 0.03  # seconds: other programs' turns are shorter, a quota's pauses are longer


def work() -> str:
    began = last = time.monotonic()
    waited = 0.0
    while last < began + SECONDS:
        now = time.monotonic()
        waited += now - last if now - last > HELD_BACK else 0.0
        last = now
    told = f"held back for {waited:.2f} of {last - began:.2f} s"
    return told if waited < SECONDS / 2 else stop(told)


attempt("two seconds on end", work)
done()
