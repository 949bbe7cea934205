"""The workspace ends where the policy says, however it is filled.

tries: twice as much in files, in a checkpoint at every step, reserved without being written, and
    held open after deletion
parts: disk.bytes
family: 1
kinds: experiment, latex, editor
"""

import os
from io import FileIO
from pathlib import Path

from filling import MIB, PIECES, fill, folder_in, put
from probing import GIVEN, attempt, done

TWICE = 2 * GIVEN["workspace"]
COUNT = TWICE // (PIECES * MIB)


def checkpoints(folder: Path) -> str:
    for step in range(TWICE // MIB):
        with FileIO(folder / f"checkpoint_{step}", "w") as file:
            put(file)
    return f"{step + 1} checkpoints"


def reserved(folder: Path) -> str:
    for number in range(COUNT):
        with FileIO(folder / str(number), "w") as file:
            os.posix_fallocate(file.fileno(), 0, PIECES * MIB)
    return f"{COUNT} files of {PIECES} MiB"


def deleted(folder: Path) -> str:
    held = []
    for _ in range(COUNT):
        file = FileIO(folder / "gone", "w")
        held.append(file)
        (folder / "gone").unlink()
        for _ in range(PIECES):
            put(file)
    return f"{len(held)} files without a name"


attempt("twice as much", lambda: fill(".", TWICE))
for work in (checkpoints, reserved, deleted):

    def within() -> str:
        with folder_in(".") as folder:
            return work(folder)  # noqa: B023  # it is called before the next one

    attempt(work.__name__, within)
done()
