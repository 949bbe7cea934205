"""A folder as one compressed file, and back: plain files alone, each bound held, the same bytes each time.

A tar archive in xz, without times, owners or links. What is read may be anybody's: it is decompressed
up to a bound, and a name that leads out of the folder, or an entry that is no file, is refused.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from orchestrator.core.files import write

MOST_UNPACKED = 256 << 20  # of an archive when it is decompressed
_MOST_FILES = 20_000
_MEMORY = 256 << 20  # what the decompressor may take
_KINDS = (tarfile.REGTYPE, tarfile.AREGTYPE)


class NotPacked(ValueError):
    """What an archive of plain files cannot hold, or the reason why this is none."""


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive of ``files``: by name, of no time and nobody."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            member = tarfile.TarInfo(_sound(name))
            member.size, member.mode = len(files[name]), 0o644
            tar.addfile(member, io.BytesIO(files[name]))
    return lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def unpacked(data: bytes, most: int = MOST_UNPACKED) -> dict[str, bytes]:
    """The files of an archive, by name. Raises :class:`NotPacked`."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(_decompressed(data, most)), mode="r:") as tar:
            for member in tar:
                name = _sound(member.name)
                if member.type not in _KINDS or member.sparse is not None:
                    raise NotPacked(f"{name!r} is no plain file")
                if name in files or len(files) >= _MOST_FILES:
                    raise NotPacked(f"{name!r} is there twice, or one file too many")
                content = tar.extractfile(member)
                assert content is not None
                files[name] = content.read(member.size)
                if len(files[name]) != member.size:
                    raise NotPacked(f"{name!r} ends too early")
    except (tarfile.TarError, lzma.LZMAError, EOFError, MemoryError, UnicodeError) as error:
        raise NotPacked(f"it is no archive: {error}") from error
    inside = {str(above) for name in files for above in PurePosixPath(name).parents}
    if clash := inside & set(files):
        raise NotPacked(f"{min(clash)!r} is a file and a folder")
    return files


def write_unpacked(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of :func:`unpacked` into a folder of one's own."""
    for name, data in files.items():
        write(folder / _sound(name), data)


def _decompressed(data: bytes, most: int) -> bytes:
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    plain = reader.decompress(data, most + 1)
    if len(plain) > most:
        raise NotPacked(f"it holds more than {most} bytes")
    if not reader.eof or reader.unused_data:
        raise NotPacked("it ends too early, or something follows it")
    return plain


def _sound(name: str) -> str:
    """``name``, if it is a path below a folder. Raises :class:`NotPacked`."""
    pure = PurePosixPath(name)
    parts = pure.parts
    odd = any(not char.isprintable() or char == "\\" for char in name)
    if odd or not parts or pure.is_absolute() or ".." in parts or str(pure) != name:
        raise NotPacked(f"the name {name[:200]!r} is no path below a folder")
    return name
