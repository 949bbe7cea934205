"""Nobody watches whole file systems, or sets their quota.

tries: fanotify_init; quotactl
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, NOWHERE, call
from probing import done

call("fanotify_init", 0, 0)
call("quotactl", NONE, NOWHERE, 0, NOWHERE)
done()
