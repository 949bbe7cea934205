"""Empty files in shared memory count as memory.

tries: so many that what the kernel needs for them is more than the memory
parts: memory.limit
family: 2, 8
kinds: experiment, latex, editor
lower: memory 32MiB
ends: out of memory
"""

from pathlib import Path

from probing import GIVEN, attempt, done

EACH = 512  # bytes of memory that an empty file takes at the least


def fill() -> str:
    count = GIVEN["memory"] // EACH
    for number in range(count):
        Path("/dev/shm", str(number)).touch()
    return f"{count} files"


attempt("too many empty files", fill)
done()
