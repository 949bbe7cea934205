"""Shared memory is the job's own, and not the host's.

tries: to read a file that the host holds in its shared memory
parts: container.ipc
family: 9
kinds: experiment, latex, editor
bare: host ipc
"""

from pathlib import Path

from probing import GIVEN, attempt, done

attempt("the host's file", Path("/dev/shm", GIVEN["shared"]).read_text)
done()
