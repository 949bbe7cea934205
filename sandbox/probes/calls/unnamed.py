"""What the profile does not name is refused.

tries: seccomp, landlock_create_ruleset, memfd_secret, vmsplice, move_pages, migrate_pages, modify_ldt
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, NOWHERE, call
from probing import done

call("seccomp", 2, 0, NOWHERE)
call("landlock_create_ruleset", 0, 0, 1)
call("memfd_secret", 0)
call("vmsplice", NONE, NOWHERE, 0, 0)
call("move_pages", 0, 0, 0, 0, 0, 0)
call("migrate_pages", 0, 1, 0, 0)
call("modify_ldt", 0, 0, 0, 0)
done()
