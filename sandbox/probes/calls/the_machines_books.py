"""The machine's swap, books and log are nobody's to touch.

tries: swapon, swapoff, acct, syslog
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NOWHERE, call
from probing import done

call("swapon", NOWHERE, 0)
call("swapoff", NOWHERE)
call("acct", NOWHERE)
call("syslog", 10, 0, 0)
done()
