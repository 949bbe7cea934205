"""Only regular files come home.

tries: a FIFO, a FIFO in the place of results, a character and a block device
parts: harvest.links
family: 19
kinds: experiment
judge: home
"""

import contextlib
import os
import stat

from planting import begin
from probing import done, plant

begin()
for name in ("out/pipe", "out/final_info.json"):
    os.mkfifo(name)
    plant(name)
for name, kind in (("out/zero", stat.S_IFCHR), ("out/disk", stat.S_IFBLK)):
    with contextlib.suppress(PermissionError):  # another control's affair; it comes home or not
        os.mknod(name, kind | 0o666, os.makedev(1, 5))
    plant(name)
done()
