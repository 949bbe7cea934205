"""Shared memory ends where the policy says.

tries: twice as much
parts: memory.shm
family: 8
kinds: experiment, latex, editor
"""

from filling import fill
from probing import GIVEN, attempt, done

attempt("twice the shared memory", lambda: fill("/dev/shm", 2 * GIVEN["shm"]))
done()
