"""Nothing of System V, which lies outside of the limit of shared memory.

tries: to make shared memory, a queue of messages and a semaphore
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import call
from probing import done

PRIVATE, READ_AND_WRITE = 0, 0o1600
call("shmget", PRIVATE, 4096, READ_AND_WRITE)
call("msgget", PRIVATE, READ_AND_WRITE)
call("semget", PRIVATE, 1, READ_AND_WRITE)
done()
