"""A job ends when its idea's time is over.

tries: to work for six seconds when the idea has two left
parts: idea.wall
family: 7
kinds: experiment
judge: host
needs: whole policy
"""

import time

from probing import attempt, done

time.sleep(6)
attempt("six seconds of work", lambda: "it worked on")
done()
