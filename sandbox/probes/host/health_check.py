"""An image's health check does not run beside the job.

tries: to see the file that the image's own health check makes each second
parts: container.health-check
family: 9
kinds: experiment
judge: host
"""

import time
from pathlib import Path

from probing import BARE, attempt, done

until = time.monotonic() + (60 if BARE else 4)  # an engine may be slow to run its first one
while time.monotonic() < until and not Path("/tmp/checked").exists():
    time.sleep(0.1)
attempt("the health check's file", Path("/tmp/checked").exists)
done()
