"""No file is opened by its number, past all folders.

tries: name_to_handle_at, open_by_handle_at
parts: seccomp.profile
family: 10
kinds: experiment, latex, editor
bare: rights
"""

from kernel import NONE, NOWHERE, call
from probing import done

call("name_to_handle_at", NONE, NOWHERE, NOWHERE, NOWHERE, 0)
call("open_by_handle_at", NONE, NOWHERE, 0)
done()
