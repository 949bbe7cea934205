"""What each image is made from, the hash of that, and the build context that carries it.

A recipe is a Dockerfile, a lock, the folders that it copies and its build arguments; its hash
covers only these. The base image is not part of it: Debian's changes weekly. Its id is a label
of the image, and each result records the id of the image itself.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

INSTALLER = "sandbox/install-locked.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One image. Paths are relative to the folder that holds ``sandbox/``."""

    name: str  # with its tag, as a policy names it
    about: str
    dockerfile: str
    lock: str = ""  # name of the lock and of its folder of wheels, "" where pip has no part
    folders: tuple[str, ...] = ()  # copied in whole
    args: tuple[tuple[str, str], ...] = ()

    @property
    def lock_file(self) -> str:
        """Where the lock is; only where there is one."""
        return f"sandbox/locks/{self.lock}.txt"


RECIPES = (
    Recipe(name="aisci-sandbox:cpu", about="experiments and plots, PyTorch for CPUs",
           dockerfile="sandbox/Dockerfile", lock="sandbox-cpu", folders=("sandbox/egress",), args=(("FLAVOUR", "cpu"),)),
    Recipe(name="aisci-sandbox:cuda", about="experiments and plots, PyTorch for NVIDIA GPUs",
           dockerfile="sandbox/Dockerfile", lock="sandbox-cuda", folders=("sandbox/egress",), args=(("FLAVOUR", "cuda"),)),
    Recipe(name="aisci-latex:latest", about="papers: TeX Live, and PDF pages to text and pictures",
           dockerfile="sandbox/Dockerfile.latex", lock="latex", folders=("sandbox/latex",)),
    Recipe(name="aisci-editor:latest", about="Aider and the guarded worker that drives it",
           dockerfile="sandbox/Dockerfile.editor", lock="editor", folders=("sandbox/editor",)),
    Recipe(name="aisci-storage:latest",
           about="the trusted helper that mounts and reads quota'd volumes",
           dockerfile="sandbox/Dockerfile.storage", folders=("sandbox/storage",)),
)  # fmt: skip


def recipe_hash(recipe: Recipe, root: Path) -> str:
    """SHA-256 in hex over every file and argument of ``recipe``; ``root`` holds ``sandbox/``."""
    digest = hashlib.sha256()
    for name, value in recipe.args:
        _feed(digest, b"arg", name.encode(), value.encode())
    for path in recipe_files(recipe, root):
        _feed(digest, b"file", path.encode(), (root / path).read_bytes())
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, *parts: bytes) -> None:
    for part in parts:  # the length first, so that no two lists of parts have the same bytes
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)


def recipe_files(recipe: Recipe, root: Path) -> tuple[str, ...]:
    """The files of ``recipe``, relative to ``root``, sorted; compiled Python left out."""
    files = {recipe.dockerfile}
    if recipe.lock:
        files |= {recipe.lock_file, INSTALLER}
    for folder in recipe.folders:
        files |= {
            str(path.relative_to(root))
            for path in (root / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
    return tuple(sorted(files))


def write_context(out: IO[bytes], recipe: Recipe, root: Path, *, wheels: Path | None) -> None:
    """Write the build context of ``recipe``: its files and the folder of wheels."""
    files = [(path, root / path) for path in recipe_files(recipe, root)]
    found = sorted(wheels.glob("*.whl")) if wheels else ()
    files += [(f"sandbox/wheels/{recipe.lock}/{wheel.name}", wheel) for wheel in found]
    pack_context(out, recipe.folders, files)


def pack_context(out: IO[bytes], folders: Iterable[str], files: Iterable[tuple[str, Path]]) -> None:
    """Write a build context as a tar: folders, for COPY needs even an empty one, and files.

    Names, owners, times and modes are the same on every machine, so that the engine's own
    cache recognises what it built before.
    """
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in folders:
            tar.addfile(tar_member(folder, 0, tarfile.DIRTYPE))
        for name, source in files:
            with source.open("rb") as data:
                tar.addfile(tar_member(name, source.stat().st_size), data)


def tar_member(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    """A member whose owner, time and mode are the same on every machine."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = kind, size, 0
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info
