"""What an orchestrator leaves that was killed is ended and removed.

tries: SIGKILL to the process that started a job of minutes
parts: time.sentinel
family: 28
kinds: experiment, latex, editor
judge: host
"""

import time

time.sleep(120)
