"""There are no POSIX queues of messages, which lie outside of the limits.

tries: the call mq_open
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NOWHERE, call
from probing import done

call("mq_open", NOWHERE, 0, 0, 0)
done()
