"""No program of the job's runs inside the kernel.

tries: the call bpf
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NOWHERE, call
from probing import done

call("bpf", 0, NOWHERE, 0)
done()
