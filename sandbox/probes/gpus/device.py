"""The device of a GPU that was not lent cannot be made.

tries: the character devices 195:0 and 195:255, and with them NVIDIA's own names
parts: gpus.none
family: 15
kinds: experiment, latex, editor
bare: rights
needs: no gpu
"""

import os
import stat
from functools import partial
from pathlib import Path

from probing import attempt, done


def make(name: str, minor: int) -> None:
    path = Path("/tmp", name)
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(195, minor))
    path.unlink()


for name, minor in {"nvidia0": 0, "nvidiactl": 255}.items():
    attempt(name, partial(make, name, minor))
done()
