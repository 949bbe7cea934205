"""Nothing that the engine tells of a job holds a key of the host's.

tries: containers, volumes and the image's history, as the engine tells them while a job runs
parts: environment.closed
family: 16
kinds: experiment, latex, editor
judge: host
"""

import time

print("running", flush=True)
time.sleep(2)
