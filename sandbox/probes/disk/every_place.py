"""No more bytes than the policy says go into all places together that can be written to.

tries: to fill each mount point and the root with twice the size of the workspace
parts: disk.bytes, disk.tmp, memory.shm
family: 1
kinds: experiment, latex, editor
"""

from pathlib import Path

from filling import MIB, folder_in, write
from probing import GIVEN, attempt, done, stop

ALLOWED = GIVEN["workspace"] + GIVEN["tmp"] + GIVEN["shm"]
places = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}


def taken(place: str) -> int:
    try:
        with folder_in(place) as folder:
            try:
                return write(folder, 2 * GIVEN["workspace"])
            except OSError:
                return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:
        return 0


def fill() -> str:
    amounts = {place: taken(place) for place in sorted({*places, "/", "/tmp", str(Path.cwd())})}
    told = ", ".join(f"{place}: {size // MIB} MiB" for place, size in amounts.items() if size)
    return told if sum(amounts.values()) > ALLOWED else stop(told)


attempt("more than all places have", fill)
done()
