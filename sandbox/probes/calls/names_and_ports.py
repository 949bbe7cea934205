"""The machine's name and its ports are not the job's.

tries: sethostname, setdomainname; ioperm and iopl, where there are such
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, NOWHERE, call
from probing import done

call("sethostname", NOWHERE, 1)
call("setdomainname", NOWHERE, 1)
call("ioperm", NONE, 1, 1)
call("iopl", 9)
done()
