"""A crash leaves no core file, nor does it start what a machine has for crashes.

tries: to let a program crash in a folder that it may write to
parts: processes.core
family: 9
kinds: experiment, latex, editor
"""

import os
import subprocess

from probing import attempt, done, stop


def crash() -> str:
    child = subprocess.Popen(["sh", "-c", "kill -ABRT $$"])
    status = os.waitpid(child.pid, 0)[1]
    child.returncode = -os.WTERMSIG(status)
    return "a core was dumped" if os.WCOREDUMP(status) else stop("no core was dumped")


attempt("a core file", crash)
done()
