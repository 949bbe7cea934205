"""No file is taken out of its project, and so out of an XFS quota.

tries: the ioctls FS_IOC_FSSETXATTR and FS_IOC_SETFLAGS on a file of its own
parts: seccomp.profile, disk.bytes
family: 1, 10
kinds: experiment, latex, editor
bare: rights
"""

from pathlib import Path

from kernel import NOWHERE, call
from probing import done

with Path("flagged").open("w") as file:
    call("ioctl", file.fileno(), 0x401C5820, NOWHERE, told="FS_IOC_FSSETXATTR")
    call("ioctl", file.fileno(), 0x40086602, NOWHERE, told="FS_IOC_SETFLAGS")
Path("flagged").unlink()
done()
