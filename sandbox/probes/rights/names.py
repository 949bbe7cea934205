"""The job names neither itself a root of files nor its machine.

tries: chroot to a folder; another host name
parts: container.capabilities
family: 9
kinds: experiment, latex, editor
bare: rights
"""

import os
import socket

from kernel import tried
from probing import attempt, done


def change_root() -> int:
    try:
        os.chroot("/tmp")
    except OSError as error:
        return error.errno or 1
    return 0


tried("another root", change_root)
attempt("another host name", lambda: socket.sethostname(socket.gethostname()))
done()
