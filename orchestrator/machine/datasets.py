"""Where this machine keeps staged data, each set once, under the hash of its content.

::

    $XDG_DATA_HOME/aisci/data/
        sets/<set hash>/<path>    whole, verified, mounted read-only into experiments
        partial/<file's SHA-256>  a transfer that was broken off
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
from orchestrator.core.files import disk_errors
from orchestrator.core.tree import digest
from orchestrator.template.manifest import DataFile, DataSet, StagedData

_KEEP_FREE = 64 << 20  # bytes of the disk that staging leaves free
_STEP = 1 << 20


def datasets_folder() -> Path:
    """Per user and machine; a set of many gigabytes belongs on a large disk: set XDG_DATA_HOME."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "aisci" / "data"


def folder_of(data: DataSet) -> Path:
    return datasets_folder() / "sets" / data.hash


def partial_path(file: DataFile) -> Path:
    return datasets_folder() / "partial" / file.sha256


def is_staged(data: DataSet) -> bool:
    """Whether the set is here; :func:`verify_staged` reads it."""
    return folder_of(data).is_dir()


def why_unfit(data: DataSet) -> str:
    """What is wrong with a set that is here; empty if every file has its size and SHA-256."""
    for file in data.files:
        path = folder_of(data) / file.path
        if not path.is_file():
            return f"{file.path} is missing"
        if path.stat().st_size != file.bytes or sha256_of(path) != file.sha256:
            return f"{file.path} was changed: it no longer has its SHA-256, {file.sha256[:12]}…"
    return ""


def verify_staged(data: DataSet, template: str) -> StagedData:
    """The set as it can be mounted, every file read and compared.

    Raises :class:`UserError` where it is not here, :class:`DataFailed` where it was changed.
    """
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
            f"the staged data set {data.name} is not what its manifest says",
            where=str(folder_of(data)),
            why=why,
            todo=f"{todo} fetches it again",
        )
    return StagedData(data.name, data.hash, str(folder_of(data)))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_hash(folder: Path) -> str:
    """The hash of a folder that a person staged: over every file's path and SHA-256.

    Raises :class:`UserError` for what is no plain file.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            found[path.relative_to(folder).as_posix()] = sha256_of(path)
        elif not stat.S_ISDIR(mode):
            raise UserError(
                "a data set may hold plain files and folders only",
                where=str(path),
                todo="replace links by what they lead to",
            )
    return digest(found)


def missing_sets(sets: Iterable[DataSet]) -> tuple[DataSet, ...]:
    """The sets that are not here, or not whole; those that were changed are taken away."""
    found = []
    for data in sets:
        if not is_staged(data):
            found.append(data)
        elif why_unfit(data):
            shutil.rmtree(folder_of(data))
            found.append(data)
    return tuple(found)


def check_disk_space(sets: Iterable[DataSet]) -> None:
    """Raise :class:`DiskFull` where the disk does not hold ``sets`` beside what is there already."""
    files = [file for data in sets for file in data.files]
    begun = sum(partial_path(file).stat().st_size for file in files if partial_path(file).is_file())
    wanted = sum(file.bytes for file in files) - begun
    there = next(path for path in (datasets_folder(), *datasets_folder().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if wanted and free < wanted + _KEEP_FREE:
        raise DiskFull(
            "there is no room for the data",
            where=str(datasets_folder()),
            why=f"{wanted:,} bytes are to be fetched and {_KEEP_FREE:,} to be left free; {free:,} are free",
            todo="make room, or set XDG_DATA_HOME to a folder on a larger disk",
        )


def install_set(data: DataSet) -> None:
    """Make a set of its files' whole transfers: verified before it is seen, never half there.

    Raises :class:`DataFailed` for a file that is not what the manifest says; it is not kept.
    """
    for file in data.files:
        check_download(data.name, file, partial_path(file))
    whole, unfinished = folder_of(data), folder_of(data).with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    with disk_errors(whole):
        for file in data.files:
            path = unfinished / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            partial_path(file).replace(path)
            path.chmod(0o444)
            with path.open("rb") as written:
                os.fsync(written.fileno())
        unfinished.rename(whole)


def check_download(name: str, file: DataFile, path: Path) -> None:
    """Raise :class:`DataFailed`, and remove ``path``, where it is not the declared file."""
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
        why=f"SHA-256 {have[:16]}… and {size:,} bytes came, {file.sha256[:16]}… and "
        f"{file.bytes:,} bytes are declared"
        + ("; it is a web page: a proxy's login, or an error" if page else ""),
        todo="nothing of it was kept. Fetch the file in another way and give it with --from FILE, "
        "or correct the manifest if the file has a new version",
    )


def copy_local(file: DataFile, source: Path) -> None:
    """Copy a person's own file to where a transfer would have left it."""
    target = partial_path(file)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as read, target.open("wb") as write:
            shutil.copyfileobj(read, write, _STEP)


def match_local(
    paths: Iterable[Path], files: Iterable[DataFile]
) -> Iterator[tuple[DataFile, Path]]:
    """Which of a person's files, or files in a person's folders, are which declared ones."""
    wanted = {file.sha256: file for file in files}
    sizes = {file.bytes for file in wanted.values()}
    for given in paths:
        inside = sorted(given.iterdir()) if given.is_dir() else [given]
        for path in inside:
            if path.is_file() and path.stat().st_size in sizes:
                file = wanted.get(sha256_of(path))
                if file is not None:
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
