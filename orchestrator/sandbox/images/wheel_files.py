"""The files of wheels as they lie in ``site-packages``, read as archives: nothing is installed or run.

A wheel comes from a list that a template's author wrote. Its hash says that it is the file that the
author meant, not that its code may run here: the host reads its table of files and its metadata,
and copies bytes.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from orchestrator.core.errors import ImageBuildFailed
from orchestrator.sandbox.images.recipes import tar_member
from orchestrator.template.lockfile import normal_name

MOST_FILES = 200_000
MOST_BYTES = 16 << 30  # of all wheels, unpacked
_METADATA_BYTES = 2 << 20
# What Python runs at each of its starts, before any program of the image.
_HOOK = re.compile(r"[^/]+\.pth|(?:site|user)customize(?:[./].*)?")
_PART = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")
# The image's Python, for markers: Debian 12's.
_ENVIRONMENT = {
    "python_version": "3.11", "python_full_version": "3.11.2", "implementation_version": "3.11.2",
    "implementation_name": "cpython", "platform_python_implementation": "CPython", "os_name": "posix",
    "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "extra": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel. ``files`` are (path below ``site-packages``, name in the archive, mode)."""

    path: Path
    name: str
    version: str
    requires: tuple[str, ...]
    files: tuple[tuple[str, str, int], ...]


def read_wheel(path: Path) -> Wheel:
    """Read a wheel's table of files and its metadata.

    Raises:
        ImageBuildFailed: it is no wheel, it is too large, or it starts code with every Python.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MOST_FILES or sum(one.file_size for one in members) > MOST_BYTES:
                raise _refused(path, f"it has over {MOST_FILES} files or {MOST_BYTES >> 30} GiB")
            files = tuple(_files(path, members))
            metadata = _metadata(archive, path, members)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeError, OSError) as error:
        raise _refused(path, f"it is no wheel: {error}") from error
    hooks = sorted(file for file, _, _ in files if _HOOK.fullmatch(file))
    if hooks:
        raise _refused(path, f"Python would run {hooks[0]} at each of its starts, in every program")
    name, version, requires = metadata
    return Wheel(path, name, version, requires, files)


def _files(path: Path, members: Sequence[zipfile.ZipInfo]) -> Iterator[tuple[str, str, int]]:
    for member in members:
        parts = member.filename.split("/")
        mode = member.external_attr >> 16
        plain = mode & 0o170000 in {0, 0o100000}
        if not plain or not all(_PART.fullmatch(one) and one not in {".", ".."} for one in parts):
            raise _refused(
                path, f"it holds {member.filename!r}, which is no file with a plain name"
            )
        if parts[0].endswith(".data"):
            # Scripts and headers serve an installation that experiments never see.
            if len(parts) < 3 or parts[1] not in {"purelib", "platlib", "data"}:
                continue
            parts = parts[2:]
        yield "/".join(parts), member.filename, 0o755 if mode & 0o111 else 0o644


def _metadata(
    archive: zipfile.ZipFile, path: Path, members: Sequence[zipfile.ZipInfo]
) -> tuple[str, str, tuple[str, ...]]:
    found = [m for m in members if re.fullmatch(r"[^/]+\.dist-info/METADATA", m.filename)]
    if len(found) != 1 or found[0].file_size > _METADATA_BYTES:
        raise _refused(path, "it is no wheel: it has no METADATA of its own")
    head = BytesHeaderParser().parsebytes(archive.read(found[0]))
    requires = tuple(str(one) for one in head.get_all("Requires-Dist", ()))
    return normal_name(str(head["Name"])), str(head["Version"]), requires


def unmet_needs(wheels: Sequence[Wheel], base: Mapping[str, str]) -> Iterator[str]:
    """Each need of a wheel that neither the wheels nor ``base`` (name: version) meet."""
    versions = dict(base) | {wheel.name: wheel.version for wheel in wheels}
    for wheel in wheels:
        for text in wheel.requires:
            try:
                need = Requirement(text)
            except InvalidRequirement:
                yield f"{wheel.name} says what it needs in no known form: {text!r}"
                continue
            if need.marker is not None and not need.marker.evaluate(_ENVIRONMENT):
                continue
            have = versions.get(normal_name(need.name))
            if have is None:
                yield f"{wheel.name} needs {need.name}, which is neither in the image nor in the list"
            elif not need.specifier.contains(have, prereleases=True):
                yield f"{wheel.name} needs {text}; the image has {need.name} {have}"


def absent_modules(
    wheels: Sequence[Wheel], imports: Sequence[str], base: frozenset[str]
) -> Iterator[str]:
    """Each name in ``imports`` that no wheel has a file for; ``base`` are the image's own modules."""
    paths = [path for wheel in wheels for path, _, _ in wheel.files]
    for name in imports:
        at = name.replace(".", "/")
        if name.partition(".")[0] not in base and not any(
            path.startswith((f"{at}/", f"{at}.")) for path in paths
        ):
            yield f"no package has the module {name!r}, which template.yaml declares"


def add_wheels(tar: tarfile.TarFile, wheels: Sequence[Wheel], folder: str) -> None:
    """Copy every file into ``tar`` below ``folder``; of two with one path, the later wheel's.

    Raises:
        ImageBuildFailed: an archive is damaged.
    """
    owner = {path: wheel for wheel in wheels for path, _, _ in wheel.files}
    tar.addfile(tar_member(folder, 0, tarfile.DIRTYPE))
    for wheel in wheels:
        last = {path: (name, mode) for path, name, mode in wheel.files if owner[path] is wheel}
        try:
            with zipfile.ZipFile(wheel.path) as archive:
                for path, (name, mode) in sorted(last.items()):
                    info = tar_member(f"{folder}/{path}", archive.getinfo(name).file_size)
                    info.mode = mode
                    with archive.open(name) as file:
                        tar.addfile(info, file)
        except (zipfile.BadZipFile, OSError) as error:
            raise _refused(wheel.path, f"it is damaged: {error}") from error


def _refused(path: Path, why: str) -> ImageBuildFailed:
    return ImageBuildFailed(
        f"the package {path.name} is refused",
        where=str(path),
        why=why,
        todo="choose another version or package in the template's lock",
    )
