"""A locked list of packages: exact versions, a SHA-256 for every file, and nothing else.

``pip-compile --generate-hashes`` and ``uv pip compile --generate-hashes`` write this form. Anything
else that pip accepts (addresses, folders, options, ranges, markers) is refused: the image would
depend on more than this list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.core.files import shipped_root

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._+!-]*)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_MAX_PACKAGES = 200  # packages
BASES = ("sandbox-cpu", "sandbox-cuda")


@dataclass(frozen=True, slots=True)
class LockProblem:
    """An error on a line, and its correction."""

    line: int
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Locked:
    """One package at one version, and its first line."""

    name: str
    version: str
    line: int


def read_lock(text: str) -> tuple[tuple[Locked, ...], tuple[LockProblem, ...]]:
    """The packages of a list, and everything in it that cannot be used."""
    packages: list[Locked] = []
    wrong: list[LockProblem] = []
    lines: dict[str, int] = {}
    for line, words in _requirements(text):
        pin, hashes = _PIN.fullmatch(words[0]), words[1:]
        if pin is None:
            todo = "write name==version; make the list with `uv pip compile --generate-hashes`"
            what = f"{words[0]!r} is not an exact version of a package"
            wrong.append(LockProblem(line, what, todo))
        elif not hashes or not all(_HASH.fullmatch(word) for word in hashes):
            odd = next((word for word in hashes if not _HASH.fullmatch(word)), "no hash")
            todo = "give each file as --hash=sha256:…, and nothing else"
            wrong.append(LockProblem(line, f"{words[0]} is not locked: {odd}", todo))
        else:
            package = Locked(normal_name(pin[1]), pin[2], line)
            if package.name in lines:
                what = f"{package.name} is also on line {lines[package.name]}"
                wrong.append(LockProblem(line, what, "remove one of the lines"))
            lines[package.name] = line
            packages.append(package)
    if not packages and not wrong:
        wrong.append(LockProblem(1, "the list is empty", "remove `lock` from template.yaml"))
    if len(packages) > _MAX_PACKAGES:
        what = f"it has {len(packages)} packages, over {_MAX_PACKAGES}"
        wrong.append(LockProblem(1, what, "depend on fewer packages"))
    return tuple(packages), tuple(wrong)


def _requirements(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, words) of each requirement, without comments and with continued lines joined."""
    first, words = 0, list[str]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw)
        more = line.rstrip().endswith("\\")
        words += line.rstrip().removesuffix("\\").split()
        first = first or number
        if not more:
            if words:
                yield first, words
            first, words = 0, []
    if words:
        yield first, words


def beside_base(packages: tuple[Locked, ...]) -> Iterator[LockProblem]:
    """Packages that the base image already has; an installation would replace them."""
    have = {name for base in BASES for name in base_packages(base)}
    todo = "remove it, and choose versions of the others that work with the base image's version"
    for package in packages:
        if package.name in have:
            yield LockProblem(package.line, f"{package.name} is already in the base image", todo)


def base_packages(base: str) -> Mapping[str, str]:
    """Versions by name of the packages of a base image."""
    text = (shipped_root() / "sandbox" / "locks" / f"{base}.txt").read_text("utf-8")
    return {package.name: package.version for package in read_lock(text)[0]}


def importable() -> frozenset[str]:
    """The modules of the base image that are not in the standard library."""
    text = (shipped_root() / "sandbox" / "imports.txt").read_text("utf-8")
    return frozenset(line.split()[0] for line in text.splitlines() if line.strip())


def module_of(package: str) -> str | None:
    """The module that code imports of a package of the base image that has another name."""
    text = (shipped_root() / "sandbox" / "imports.txt").read_text("utf-8")
    wanted = normal_name(package)
    named = [
        module
        for module, name in map(str.split, filter(str.strip, text.splitlines()))
        if normal_name(name) == wanted and normal_name(module) != wanted
    ]
    return named[0] if named else None


def normal_name(name: str) -> str:
    """The normalized name of a package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
