"""The job is not root.

tries: to be user or group 0; to read /etc/shadow, which is root's
parts: container.user
family: 9
kinds: experiment, latex, editor
"""

import os
from pathlib import Path

from probing import attempt, done, stop


def be_root(numbers: tuple[int, ...]) -> None:
    if 0 not in numbers:
        stop(f"it is {numbers[0]}")


attempt("to be user 0", lambda: be_root(os.getresuid()))
attempt("to be in group 0", lambda: be_root((*os.getresgid(), *os.getgroups())))
attempt("to read /etc/shadow", lambda: f"{len(Path('/etc/shadow').read_bytes())} bytes")
done()
