"""The machine's own folder, ``/etc/aisci``: files of its administrator that hold for every account.

Fixed: no option and no variable of a user moves it. A file that others than its owner could change, or that
cannot be read, is an error for whoever asks for it: it is never left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import BadFile

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Untrusted(Exception):
    """A file of the administrator cannot be relied on: ``why``, and what its administrator does about it."""

    def __init__(self, path: Path, why: str, todo: str) -> None:
        super().__init__(why)
        self.path, self.why, self.todo = path, why, todo


@dataclass(frozen=True, slots=True)
class MachineFolder:
    """The folder, and the user who must own it and what is in it."""

    folder: Path = Path("/etc/aisci")
    owner: int = 0

    def file(self, name: str) -> Path | None:
        """The file of that name, if it is there. Raises :class:`BadFile` for one that cannot be relied on."""
        return self._trusted(self.folder / name, folder=False)

    def files(self, name: str, suffix: str) -> tuple[Path, ...]:
        """What is in the folder of that name, by ``suffix``; empty without it. Raises :class:`BadFile` for a folder
        that cannot be relied on; of its files nothing is said.
        """
        folder = self._trusted(self.folder / name, folder=True)
        return tuple(sorted(folder.glob(f"*{suffix}"))) if folder else ()

    def _trusted(self, path: Path, *, folder: bool) -> Path | None:
        try:
            there = self.holds(self.folder, folder=True) and self.holds(path, folder=folder)
        except Untrusted as found:
            raise BadFile(
                "a file of this machine's administrator cannot be relied on, so nothing runs",
                where=str(found.path),
                why=found.why,
                todo=f"its administrator: {found.todo}",
            ) from found
        return path if there else None

    def holds(self, path: Path, *, folder: bool = False) -> bool:
        """Whether ``path`` exists: then a plain file, or a ``folder``, that its owner alone may write and
        everybody may read. Raises :class:`Untrusted` for anything else in its place, and for a ``.yml`` that
        was meant for a ``.yaml``.
        """
        if path.suffix == ".yaml" and os.path.lexists(path.with_suffix(".yml")):
            wrong = path.with_suffix(".yml")
            raise Untrusted(wrong, "its name has to end in .yaml", f"rename it to {path.name}")
        try:
            found = path.lstat()
        except FileNotFoundError:
            return False
        except OSError as problem:
            why = f"it cannot be looked at: {problem.strerror}"
            raise Untrusted(path, why, self._readable) from problem
        kind: Callable[[int], bool] = stat.S_ISDIR if folder else stat.S_ISREG
        if not kind(found.st_mode):
            what = "a folder" if folder else "a plain file"
            raise Untrusted(path, f"it is not {what}; a link counts as none", f"make it {what}")
        if found.st_uid != self.owner:
            raise Untrusted(
                path,
                f"it belongs to user {found.st_uid}, not {self.owner}",
                f"chown root:root {path}",
            )
        if found.st_mode & _BY_OTHERS:
            raise Untrusted(path, "its group or others may write it", f"chmod go-w {path}")
        if not os.access(path, os.R_OK | (os.X_OK if folder else 0)):
            raise Untrusted(path, "this account may not read it", self._readable)
        return True

    @property
    def _readable(self) -> str:
        return f"let every account read {self.folder}: `chmod -R a+rX {self.folder}`"


MACHINE = MachineFolder()
