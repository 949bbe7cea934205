"""No performance counter can be had, which would tell of others.

tries: perf_event_open
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NOWHERE, call
from probing import done

call("perf_event_open", NOWHERE, 0, 0, 0, 0)
done()
