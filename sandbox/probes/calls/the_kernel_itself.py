"""Nothing comes into the kernel, no other one is started, and this one not again.

tries: init_module, finit_module, delete_module; kexec_load, kexec_file_load; reboot with numbers
    that mean nothing
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, NOWHERE, call
from probing import done

call("init_module", NOWHERE, 1, NOWHERE)
call("finit_module", NONE, NOWHERE, 0)
call("delete_module", NOWHERE, 0)
call("kexec_load", 0, 0, 0, -1)
call("kexec_file_load", NONE, NONE, 0, 0, -1)
call("reboot", 0, 0, 0, 0)
done()
