"""The parts of a paper that its source reads in, from the folder alone."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.files import why_not_utf8
from orchestrator.core.untrusted import NotPlain, read_plain

_MOST_BYTES = 1 << 20  # of one part


@dataclass(frozen=True, slots=True)
class PaperParts:
    """Reads a part by its name, beside the source or from the folder. No link is followed, no path leads out."""

    folder: Path
    beside: Path

    def __call__(self, name: str) -> str:
        """The text of a part. Raises ValueError with the reason why it is not read."""
        if posixpath.isabs(name):
            raise ValueError("its path leads out of the folder")
        base = self.beside.relative_to(self.folder).as_posix()
        for inside in dict.fromkeys((base, ".")):
            for ending in (".tex", ""):
                path = posixpath.normpath(posixpath.join(inside, name + ending))
                if path == ".." or path.startswith("../"):
                    raise ValueError("its path leads out of the folder")
                if os.path.lexists(self.folder / path) and not (self.folder / path).is_dir():
                    return self._read(path)
        raise ValueError("there is no such file in the folder")

    def _read(self, path: str) -> str:
        place = self.folder / path
        above = [self.folder.joinpath(*Path(path).parts[:n]) for n in range(1, path.count("/") + 1)]
        if any(one.is_symlink() for one in above):
            raise ValueError("a link is in its place")
        try:
            data = read_plain(place, _MOST_BYTES)
        except NotPlain as error:
            raise ValueError(str(error)) from error
        except OSError as error:
            raise ValueError(f"it cannot be read: {error.strerror}") from error
        if why := why_not_utf8(data):
            raise ValueError(f"it is not UTF-8 text: {why}")
        return data.decode("utf-8").removeprefix("\ufeff")
