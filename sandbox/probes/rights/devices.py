"""No device can be made.

tries: a disk's, the memory's, and another null
parts: container.capabilities
family: 9
kinds: experiment, latex, editor
bare: rights
"""

import os
import stat
from functools import partial
from pathlib import Path

from probing import attempt, done

DEVICES = {
    "a disk": (stat.S_IFBLK, 7, 0),
    "the memory": (stat.S_IFCHR, 1, 1),
    "another null": (stat.S_IFCHR, 1, 3),
}


def make(kind: int, major: int, minor: int) -> None:
    os.mknod("/tmp/device", kind | 0o600, os.makedev(major, minor))
    Path("/tmp/device").unlink()


for name, numbers in DEVICES.items():
    attempt(name, partial(make, *numbers))
done()
