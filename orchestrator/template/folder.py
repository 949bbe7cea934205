"""The files of a template's folder, those of the template that it extends, and the style of its paper.

``extends: NAME`` in ``template.yaml`` names one shipped template. Its files are read too; a file
of the folder replaces the base's file of the same path. A paper that loads the style ``aisci`` gets the
shipped ``aisci.sty`` beside it, and code that imports ``common`` the shipped ``common.py``, unless it
has its own. The result of :func:`read_folder` is complete: nothing later needs the base, so a run's
record and a copy contain every file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.core.errors import BadTemplate
from orchestrator.core.problems import nearest
from orchestrator.core.strict_yaml import Document, parse

MANIFEST = "template.yaml"
PAPER = "latex/template.tex"
_STYLE = "aisci.sty"
_LOADS = re.compile(rb"^[ \t]*\\usepackage(?:\[[^\]\n]*\])?\{aisci\}", re.MULTILINE)
_COMMON = "common.py"
_IMPORTS = re.compile(rb"^[ \t]*(?:from common import|import common\b)", re.MULTILINE)
_MAX_FILES = 2000
_MAX_DEPTH = 8
_MAX_FILE = 64 * 1024 * 1024
_MAX_BYTES = 256 * 1024 * 1024
EXTENDS = ("extends",)
_EXTENDED = re.compile(
    rb"^# The files that are not its own are those of ([A-Za-z0-9_.-]+)\.$", re.MULTILINE
)
_LINE = re.compile(rb"^extends:[ \t]+[A-Za-z0-9_.\"'-]+[ \t\r]*(?:#.*)?$", re.MULTILINE)


def shipped_templates(shipped_root: Path) -> tuple[str, ...]:
    """The names of the templates in the program's package, sorted."""
    manifests = (shipped_root / "templates").glob(f"*/{MANIFEST}")
    return tuple(sorted(path.parent.name for path in manifests))


def read_folder(folder: Path, origin: str, shipped_root: Path) -> dict[str, bytes]:
    """Every file by its path, with the base's. Raises :class:`BadTemplate` about ``origin``."""
    files = _combined(folder, origin, shipped_root)
    shared = shipped_root / "templates"
    style = f"latex/{_STYLE}"
    if style not in files and _LOADS.search(files.get(PAPER, b"")):
        files |= {style: (shared / _STYLE).read_bytes()}
    code = [data for path, data in files.items() if path.endswith(".py")]
    own = _COMMON in files or any(path.startswith("common/") for path in files)
    if not own and any(map(_IMPORTS.search, code)):
        files |= {_COMMON: (shared / _COMMON).read_bytes()}
    return files


def _combined(folder: Path, origin: str, shipped_root: Path) -> dict[str, bytes]:
    files = dict(_read(folder))
    manifest = _extending(files, origin)
    if manifest is None:
        return files
    name = _base_name(manifest, shipped_templates(shipped_root))
    base = dict(_read(shipped_root / "templates" / name))
    if _extending(base, f"templates/{name}"):
        raise manifest.bad(
            EXTENDS,
            f"the template {name!r} has an `extends` of its own",
            why="a template can only extend one that extends nothing",
            todo="name a template without `extends`",
        )
    return base | files | {MANIFEST: _complete(manifest, files[MANIFEST], name)}


def base_of(files: Mapping[str, bytes]) -> str:
    """The name of the template that complete files were extended from; "" if none."""
    found = _EXTENDED.search(files.get(MANIFEST, b""))
    return found[1].decode() if found else ""


def without_base(manifest: str) -> str:
    """The text of a manifest without the line that names its base."""
    return _EXTENDED.sub(b"", manifest.encode()).decode()


def _extending(files: dict[str, bytes], origin: str) -> Document | None:
    """The manifest, if it has the key ``extends``."""
    if MANIFEST not in files:
        return None
    document = parse(files[MANIFEST], f"{origin}/{MANIFEST}", BadTemplate)
    return document if EXTENDS in document.marks else None


def _base_name(manifest: Document, names: tuple[str, ...]) -> str:
    """The shipped template that the manifest names."""
    name = manifest.data["extends"]
    if not isinstance(name, str) or "/" in name:
        raise manifest.bad(
            EXTENDS,
            "`extends` is not the name of a template",
            why="a template can only extend one that comes with aisci, not a path",
            todo=f"write a bare name; {nearest('', names)}",
        )
    if name not in names:
        raise manifest.bad(
            EXTENDS,
            f"`extends` names the template {name!r}, which does not exist",
            why="a template can only extend one that comes with aisci",
            todo=nearest(name, names),
        )
    return name


def _complete(manifest: Document, raw: bytes, name: str) -> bytes:
    """The manifest with a comment in place of ``extends``, so that line numbers stay the same."""
    comment = f"# The files that are not its own are those of {name}.".encode()
    complete, found = _LINE.subn(comment, raw)
    if found != 1:
        raise manifest.bad(
            EXTENDS,
            "`extends` is not on a line of its own",
            why="the line is removed when the files are combined",
            todo=f"write `extends: {name}` on one line that begins with it",
        )
    return complete


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every regular file below ``folder``, except hidden ones, caches and earlier ``run_i/``."""
    count = total = 0
    for path in _walk(folder, folder, 0):
        relative = path.relative_to(folder).as_posix()
        info = path.lstat()
        count, total = count + 1, total + info.st_size
        if not stat.S_ISREG(info.st_mode):
            todo = "replace links and devices by regular files"
            raise _unfit(path, "it is not a regular file", todo)
        if not relative.isprintable() or "\\" in relative:
            raise _unfit(path, "its name has characters that cannot be displayed", "rename it")
        if info.st_size > _MAX_FILE or total > _MAX_BYTES or count > _MAX_FILES:
            files = f"a template may have {_MAX_FILES} files, {_MAX_FILE >> 20} MiB in one"
            why = f"{files} and {_MAX_BYTES >> 20} MiB in all"
            todo = "store large data outside the template; --data DIR mounts DIR/NAME as /data/NAME"
            raise _unfit(path, why, todo)
        yield relative, _content(path)


def _walk(folder: Path, root: Path, depth: int) -> Iterator[Path]:
    if depth > _MAX_DEPTH:
        why = f"it is more than {_MAX_DEPTH} folders deep"
        raise _unfit(folder, why, "use fewer levels of folders")
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if not path.is_dir() or path.is_symlink():
            yield path
        elif folder != root or not path.name.removeprefix("run_").isdigit():
            yield from _walk(path, root, depth + 1)


def _content(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(_MAX_FILE + 1)
    except OSError as error:
        raise _unfit(path, error.strerror or str(error), "make it readable") from error


def _unfit(path: Path, why: str, todo: str) -> BadTemplate:
    return BadTemplate(
        "a file cannot be part of a template", where=repr(str(path))[1:-1], why=why, todo=todo
    )
