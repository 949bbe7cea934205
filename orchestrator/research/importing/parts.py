"""The files of an imported folder that its paper's source reads in, by their names."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

_MOST_BYTES = 1 << 20  # of one part


@dataclass(frozen=True, slots=True)
class ImportedParts:
    """Reads a part by its name among the ``files`` of the folder: beside the source, or from the folder's top."""

    files: Mapping[str, bytes]

    def __call__(self, name: str) -> str:
        """The text of a part. Raises ValueError with the reason why it is not read."""
        if posixpath.isabs(name):
            raise ValueError("its path leads out of the folder")
        for inside in ("latex", "."):
            for ending in (".tex", ""):
                path = posixpath.normpath(posixpath.join(inside, name + ending))
                if path == ".." or path.startswith("../"):
                    raise ValueError("its path leads out of the folder")
                if path in self.files:
                    return _text(self.files[path])
        raise ValueError("there is no such file among those of the folder that are read")


def _text(data: bytes) -> str:
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it has {len(data)} bytes, over {_MOST_BYTES}")
    try:
        return data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
