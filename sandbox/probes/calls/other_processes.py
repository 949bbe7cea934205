"""No process is traced, read or written by another.

tries: ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, kcmp, process_madvise
parts: seccomp.profile
family: 9, 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, call
from probing import done

call("ptrace", 0, 0, 0, 0)
call("process_vm_readv", NONE, 0, 0, 0, 0, 0)
call("process_vm_writev", NONE, 0, 0, 0, 0, 0)
call("pidfd_getfd", NONE, 0, 0)
call("kcmp", NONE, NONE, 0, 0, 0)
call("process_madvise", NONE, 0, 0, 0, 0)
done()
