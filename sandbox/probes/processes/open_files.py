"""Open files end where the policy says.

tries: twice as many, held at the same time
parts: processes.open-files
family: 9
kinds: experiment, latex, editor
"""

import os

from probing import GIVEN, attempt, done

held: list[int] = []


def hold() -> str:
    while len(held) < 2 * GIVEN["open_files"]:
        held.append(os.open(os.devnull, os.O_RDONLY))
    return f"{len(held)} at once"


attempt("twice as many files", hold)
for one in held:
    os.close(one)
done()
