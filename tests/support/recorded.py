"""The recorded run that stays with the tests: one compressed file, the same bytes for the same run.

``python -m tests.support.recorded FOLDER`` packs a run, as ``scripts/record-release.sh`` does.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.places import DATA

QUICK = DATA / "recorded" / "quick.tar.xz"


def pack(folder: Path, archive: Path) -> None:
    """Write ``archive``: sorted by name, of no time and nobody; plain files and folders alone."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:xz", format=tarfile.USTAR_FORMAT, preset=9) as tar:
        for path in sorted(folder.rglob("*")):
            entry = tar.gettarinfo(path, str(path.relative_to(folder)))
            assert entry.isreg() or entry.isdir(), path
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o755 if entry.isdir() else 0o644
            if entry.isdir():
                tar.addfile(entry)
                continue
            with path.open("rb") as file:
                tar.addfile(entry, file)


def unpack(archive: Path, folder: Path) -> Path:
    """The run's folder again; an entry that leads outside of ``folder`` is an error."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded run, unpacked; tests that change it work on a copy."""
    return unpack(QUICK, tmp_path_factory.mktemp("quick") / "run")


if __name__ == "__main__":
    pack(Path(sys.argv[1]), QUICK)
    print(f"recorded: {QUICK}, {QUICK.stat().st_size >> 10} KiB")
