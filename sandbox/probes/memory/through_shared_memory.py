"""Memory cannot be had by way of shared memory.

tries: files in /dev/shm of one and a half times the memory
parts: memory.limit
family: 8
kinds: experiment, latex, editor
lower: memory 48MiB, shm 512MiB
ends: out of memory
"""

from filling import fill
from probing import GIVEN, attempt, done

attempt("one and a half times the memory", lambda: fill("/dev/shm", GIVEN["memory"] * 3 // 2))
done()
