"""No page fault is handed to the job.

tries: userfaultfd
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import call
from probing import done

call("userfaultfd", 0)
done()
