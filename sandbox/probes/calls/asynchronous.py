"""There is no asynchronous input or output, which kernels have had holes in.

tries: io_uring_setup, io_uring_enter, io_uring_register; io_setup, the older kind
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, NOWHERE, call
from probing import done

call("io_uring_setup", 4, NOWHERE)
call("io_uring_enter", NONE, 0, 0, 0, 0)
call("io_uring_register", NONE, 0, 0, 0)
call("io_setup", 1, NOWHERE)
done()
