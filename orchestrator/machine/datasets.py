"""The data sets staged on this machine, each stored once under the hash of its content.

::

    $XDG_DATA_HOME/aisci/data/
        sets/<set hash>/<path>    complete, verified, mounted read-only into experiments
        partial/<file's SHA-256>  an unfinished download
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.core.errors import DataFailed, DiskFull, UserError
from orchestrator.core.files import data_home, disk_errors
from orchestrator.core.tree import digest
from orchestrator.record.pins import DataPin
from orchestrator.template.manifest import DataFile, DataSet

_KEEP_FREE = 64 << 20  # bytes of the disk that staging leaves free
_STEP = 1 << 20


def datasets_folder() -> Path:
    """The folder of staged data, per user and machine; XDG_DATA_HOME moves it to a larger disk."""
    return data_home() / "data"


def folder_of(data: DataSet) -> Path:
    return datasets_folder() / "sets" / data.hash


def partial_path(file: DataFile) -> Path:
    return datasets_folder() / "partial" / file.sha256


def is_staged(data: DataSet) -> bool:
    """Whether the set is staged; :func:`verify_staged` also checks its files."""
    return folder_of(data).is_dir()


def why_unfit(data: DataSet) -> str:
    """What is wrong with a staged set; empty if every file has its size and SHA-256."""
    for file in data.files:
        path = folder_of(data) / file.path
        if not path.is_file():
            return f"{file.path} is missing"
        if path.stat().st_size != file.bytes or sha256_of(path) != file.sha256:
            return f"{file.path} was changed: it no longer has its SHA-256, {file.sha256[:12]}…"
    return ""


def verify_staged(data: DataSet, template: str) -> DataPin:
    """The staged set, compared by file. Raises :class:`UserError`, :class:`DataFailed` if changed."""
    todo = f"aisci data prepare {template} --only {data.name}"
    if not is_staged(data):
        raise UserError(
            f"the data set {data.name} is not staged on this machine",
            where=str(folder_of(data)),
            why=f"this scale needs it: {data.bytes / 2**20:,.1f} MiB, {data.licence}",
            todo=todo,
        )
    why = why_unfit(data)
    if why:
        raise DataFailed(
            f"the staged data set {data.name} differs from its manifest",
            where=str(folder_of(data)),
            why=why,
            todo=f"{todo} downloads it again",
        )
    return DataPin(name=data.name, hash=data.hash, folder=str(folder_of(data)))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_hash(folder: Path) -> str:
    """The hash over paths and SHA-256 of files. Raises :class:`UserError` for links and the like."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            found[path.relative_to(folder).as_posix()] = sha256_of(path)
        elif not stat.S_ISDIR(mode):
            raise UserError(
                "a data set may hold plain files and folders only",
                where=str(path),
                todo="replace links by the files they point to",
            )
    return digest(found)


def missing_sets(sets: Iterable[DataSet]) -> tuple[DataSet, ...]:
    """The sets that are not staged or not complete; changed ones are removed."""
    missing = tuple(data for data in sets if not is_staged(data) or why_unfit(data))
    for data in filter(is_staged, missing):
        shutil.rmtree(folder_of(data))
    return missing


def check_disk_space(sets: Iterable[DataSet]) -> None:
    """Raise :class:`DiskFull` if the missing bytes of ``sets`` do not fit on the disk."""
    files, folder = [file for data in sets for file in data.files], datasets_folder()
    begun = sum(partial_path(file).stat().st_size for file in files if partial_path(file).is_file())
    needed = sum(file.bytes for file in files) - begun
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    if needed and free < needed + _KEEP_FREE:
        raise DiskFull(
            "there is not enough disk space for the data",
            where=str(folder),
            why=f"{needed:,} bytes to download and {_KEEP_FREE:,} to keep free; {free:,} are free",
            todo="free disk space, or set XDG_DATA_HOME to a folder on a larger disk",
        )


def install_set(data: DataSet) -> None:
    """Assemble a set from its downloaded files; it appears atomically, after verification.

    Raises :class:`DataFailed` for a file that differs from the manifest; it is not kept.
    """
    for file in data.files:
        check_download(data.name, file, partial_path(file))
    final, unfinished = folder_of(data), folder_of(data).with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    with disk_errors(final):
        for file in data.files:
            path = unfinished / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            partial_path(file).replace(path)
            path.chmod(0o444)
            with path.open("rb") as written:
                os.fsync(written.fileno())
        unfinished.rename(final)


def check_download(name: str, file: DataFile, path: Path) -> None:
    """Raise :class:`DataFailed`, and remove ``path``, if it is not the declared file."""
    size, have = path.stat().st_size, sha256_of(path)
    if (size, have) == (file.bytes, file.sha256):
        return
    with path.open("rb") as came:
        head = came.read(200)
    path.unlink()
    page = head.lstrip()[:1] == b"<" and b"html" in head.lower()
    raise DataFailed(
        f"{file.path} of the data set {name} is not the file that the manifest names",
        where=file.url,
        why=f"received SHA-256 {have[:16]}… and {size:,} bytes, declared {file.sha256[:16]}… and "
        f"{file.bytes:,} bytes"
        + ("; it is a web page: a proxy's login, or an error" if page else ""),
        todo="nothing was kept. Download the file in another way and give it with --from FILE, "
        "or correct the manifest if the file has a new version",
    )


def copy_local(file: DataFile, source: Path) -> None:
    """Copy a user's file to where a download would have left it."""
    target = partial_path(file)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as read, target.open("wb") as write:
            shutil.copyfileobj(read, write, _STEP)


def match_local(
    paths: Iterable[Path], files: Iterable[DataFile]
) -> Iterator[tuple[DataFile, Path]]:
    """The declared files among a user's files and the files in a user's folders."""
    declared = {file.sha256: file for file in files}
    sizes = {file.bytes for file in declared.values()}
    for given in paths:
        for path in sorted(given.iterdir()) if given.is_dir() else [given]:
            # Only a file of a declared size is worth hashing.
            same_size = path.is_file() and path.stat().st_size in sizes
            if same_size and (file := declared.get(sha256_of(path))) is not None:
                yield file, path


@contextmanager
def staging_lock() -> Iterator[None]:
    """One process stages at a time; a second waits."""
    with disk_errors(datasets_folder()):
        datasets_folder().mkdir(parents=True, exist_ok=True)
    descriptor = os.open(datasets_folder() / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
