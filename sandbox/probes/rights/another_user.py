"""The job becomes no other user, and gives no file away.

tries: to change its user and its groups, and the owner of a file of its own
parts: container.user, container.capabilities
family: 9
kinds: experiment, latex, editor
"""

import os
from pathlib import Path

from kernel import tried
from probing import attempt, done

OTHER = 12345


def change_user() -> int:
    try:
        os.setuid(OTHER)
    except OSError as error:
        return error.errno or 1
    return 0


Path("own").touch()
tried("another user", change_user)
attempt("other groups", lambda: os.setgroups([OTHER]))
attempt("another owner", lambda: os.chown("own", OTHER, OTHER))
Path("own").unlink()
done()
