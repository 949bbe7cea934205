"""A key that is in the host's environment is nowhere in the container.

tries: the program's own environment, that of each other process, every file that might be told it
parts: environment.closed
family: 16
kinds: experiment, latex, editor
"""

import os
from collections.abc import Iterator
from pathlib import Path

from probing import GIVEN, attempt, done, stop

KEY = "".join(GIVEN["key"]).encode()
MOST = 1 << 20  # bytes of one file
PLACES = ("/host", "/mnt", "/etc", "/run", "/root", "/home", "/srv", "/workspace", "/data", "/tmp", "/var/log",
          "/dev/shm")  # fmt: skip


def own() -> str:
    found = [name for name, value in os.environb.items() if KEY in value]
    return ", ".join(map(os.fsdecode, found)) or stop(
        f"{len(os.environb)} variables, not one with it"
    )


def files() -> Iterator[Path]:
    for place in PLACES:
        for folder, _, names in os.walk(place):
            yield from (Path(folder, name) for name in names)


def held(paths: Iterator[Path]) -> str:
    looked = 0
    for path in paths:
        try:
            if not path.is_file():
                continue
            with path.open("rb") as file:
                data = file.read(MOST)
        except OSError:
            continue
        looked += 1
        if KEY in data:
            return str(path)
    return stop(f"{looked} were read, not one with it")


attempt("the environment", own)
attempt("a process's environment", lambda: held(Path("/proc").glob("[0-9]*/environ")))
attempt("a file", lambda: held(files()))
done()
