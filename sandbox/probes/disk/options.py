"""In the workspace a device is none, and the set-user-id bit does nothing.

tries: to be told by the kernel that devices are taken there, and set-user-id programs
parts: disk.options
family: 9
kinds: experiment, latex, editor
otherwise: noexec on the workspace
"""

import os

from probing import attempt, done, stop

said = os.statvfs(".").f_flag


def taken(flag: int) -> None:
    if said & flag:
        stop("the mount is without them")


attempt("devices", lambda: taken(os.ST_NODEV))
attempt("set-user-id programs", lambda: taken(os.ST_NOSUID))
done()
