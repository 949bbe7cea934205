"""The machine's own folder, ``/etc/aisci``: files of its administrator that hold for every account.

Fixed: no option and no variable of a user moves it. A file that others than its owner could change, or that
cannot be read, is an error for whoever asks for it: it is never left out.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import BadFile

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class MachineFolder:
    """The folder, and the user who must own it and what is in it."""

    folder: Path = Path("/etc/aisci")
    owner: int = 0

    def file(self, name: str) -> Path | None:
        """The file of that name, if it is there. Raises :class:`BadFile` for one that cannot be relied on."""
        for path, kind, word in (
            (self.folder, stat.S_ISDIR, "folder"),
            (self.folder / name, stat.S_ISREG, "plain file"),
        ):
            try:
                found = path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as problem:
                raise _untrusted(path, f"it cannot be looked at: {problem.strerror}") from problem
            if not kind(found.st_mode):
                raise _untrusted(path, f"it is no {word}; a link counts as none")
            if found.st_uid != self.owner:
                raise _untrusted(path, f"it belongs to user {found.st_uid}, not {self.owner}")
            if found.st_mode & _BY_OTHERS:
                raise _untrusted(path, "its group or others may write it")
        return self.folder / name


MACHINE = MachineFolder()


def _untrusted(path: Path, why: str) -> BadFile:
    return BadFile(
        "a file of this machine's administrator cannot be relied on, so nothing runs",
        where=str(path),
        why=why,
        todo=f"as root: chown root:root {path}, chmod go-w {path}, chmod a+rX {path.parent}; or remove it",
    )
