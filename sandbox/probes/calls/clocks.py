"""No clock of the machine's can be set.

tries: clock_settime, settimeofday, adjtimex, clock_adjtime, each with a time from nowhere
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NOWHERE, call
from probing import done

call("clock_settime", 0, NOWHERE)
call("settimeofday", NOWHERE, 0)
call("adjtimex", NOWHERE)
call("clock_adjtime", 0, NOWHERE)
done()
