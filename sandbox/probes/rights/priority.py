"""The job gives itself no better priority, and is not spared when memory is out.

tries: a nice value of five less; to be killed for memory after others
parts: container.capabilities
family: 9
kinds: experiment, latex, editor
bare: rights
otherwise: priority and OOM score
"""

import os
from pathlib import Path

from probing import attempt, done


def spared() -> None:
    score = Path("/proc/self/oom_score_adj")
    score.write_text(str(int(score.read_text()) - 1))


attempt("a better priority", lambda: f"nice {os.nice(-5)}")
attempt("to be spared", spared)
done()
