"""No namespace is made or entered, in which a job would be root.

tries: unshare and clone for a user, mount, network, process and control group of its own; setns; clone3
parts: seccomp.profile
family: 9, 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, call
from probing import done

FLAGS = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "process": 0x20000000,
         "control group": 0x2000000}  # fmt: skip
ENDS = 17  # the signal by which a child's end is told
for kind, flag in FLAGS.items():
    call("unshare", flag, told=f"unshare: a {kind} namespace")
    call("clone", flag | ENDS, 0, 0, 0, 0, told=f"clone: a {kind} namespace")
call("setns", NONE, 0)
call("clone3", 0, 0)
done()
