"""A file that is all holes counts as large as it says it is.

tries: a file as large as the job may make one, without a single block on the disk
parts: harvest.file, harvest.bytes
family: 4
kinds: experiment
judge: home
"""

import os

from planting import begin, put
from probing import GIVEN, done

begin()
put("out/holes", b"")
os.truncate("out/holes", GIVEN["file"])
done()
