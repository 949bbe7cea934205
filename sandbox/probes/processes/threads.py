"""Threads count as processes do.

tries: three times as many sleeping threads as processes are allowed
parts: processes.pids
family: 6
kinds: experiment, latex, editor
lower: pids 64
ends: out of pids
otherwise: pids
"""

import threading

from probing import GIVEN, attempt, done, stop

over = threading.Event()
threading.stack_size(64 << 10)


def start() -> str:
    for count in range(3 * GIVEN["pids"]):
        try:
            threading.Thread(target=over.wait).start()
        except RuntimeError as error:
            stop(f"{error}, after {count}")
    return f"{threading.active_count()} at once"


attempt("three times as many threads", start)
over.set()
done()
