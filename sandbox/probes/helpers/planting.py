"""What harvest probes share: files in ``out/``, which is declared, and a fair one among them."""

from __future__ import annotations

from pathlib import Path

import probing

OUT = Path("out")


def begin() -> None:
    """Make the folder, and leave one file in it that may come home."""
    OUT.mkdir()
    OUT.joinpath("fair.txt").write_text("a result\n")
    probing.fair("out/fair.txt")


def put(name: str, data: bytes = b"a trap\n") -> None:
    """One file, its folders made, and told of; where it cannot be made it is told of too."""
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    finally:
        probing.plant(name)
