"""The kernel's store of keys answers nobody.

tries: add_key, request_key, keyctl on its own session
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NOWHERE, call
from probing import done

call("add_key", NOWHERE, NOWHERE, NOWHERE, 0, 0)
call("request_key", NOWHERE, NOWHERE, NOWHERE, 0)
call("keyctl", 0, -3, 1)
done()
