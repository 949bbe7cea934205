"""No single file grows beyond its limit.

tries: to write one, to add to one, and to reserve one that is larger; one of ten TiB that holds
    nothing
parts: disk.file
family: 3, 4
kinds: experiment, latex, editor
"""

import os
from io import FileIO
from pathlib import Path

from filling import MIB, put
from probing import GIVEN, attempt, done

COUNT = GIVEN["file"] // MIB + 1
large = Path("large")


def written() -> None:
    with FileIO(large, "w") as file:
        for _ in range(COUNT):
            put(file)


def added() -> None:
    for _ in range(COUNT):
        with FileIO(large, "a") as file:
            put(file)


def reserved() -> None:
    with FileIO(large, "w") as file:
        os.posix_fallocate(file.fileno(), 0, COUNT * MIB)


def empty() -> None:
    with FileIO(large, "w") as file:
        os.truncate(file.fileno(), 10 << 40)


for work in (written, added, reserved, empty):
    attempt(work.__name__, work)
    large.unlink(missing_ok=True)
done()
