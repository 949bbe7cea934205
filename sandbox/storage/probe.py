"""Finds out whether a volume's quota holds, by writing past it as an ordinary user.

Asked ``{"op": "probe", "bytes": …, "inodes": …}`` on stdin, it answers with what it could
write before the file system refused, or null where nothing refused.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

ROOT = Path(os.environ.get("AISCI_VOLUME", "/volume"))
STEP = 1 << 20


def main() -> None:
    """Answer one request after another."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = {
            "wrote": write_past(request["bytes"]),
            "made": make_past(request["inodes"]),
        }
        print(json.dumps(answer), flush=True)


def write_past(limit: int) -> int | None:
    """Write up to twice ``limit`` bytes; how many were taken before ENOSPC."""
    path, wrote = ROOT / "probe", 0
    try:
        with path.open("wb", buffering=0) as file:
            while wrote < 2 * limit:
                wrote += file.write(bytes(STEP))
                os.fdatasync(file.fileno())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return wrote
    finally:
        path.unlink(missing_ok=True)
    return None


def make_past(limit: int) -> int | None:
    """Make up to twice ``limit`` empty files, and some; how many before ENOSPC."""
    made: list[Path] = []
    try:
        for number in range(2 * limit + 64):
            path = ROOT / f"probe{number}"
            path.touch()
            made.append(path)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return len(made)
    finally:
        for path in made:
            path.unlink()
    return None


if __name__ == "__main__":
    main()
