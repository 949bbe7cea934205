"""No more jobs run at once than the run may have.

tries: two jobs at the same time where one is allowed
parts: run.together
family: 6
kinds: experiment
judge: host
needs: whole policy
"""

import time

from probing import done

began = time.time()
time.sleep(3)
print(f"ran {began} {time.time()}", flush=True)
done()
