"""A list of packages as pip locks it: exact versions, a SHA-256 for every file, and nothing else.

The form is what ``pip-compile --generate-hashes`` and ``uv pip compile --generate-hashes`` write.
What pip would also take (addresses, folders, options, ranges, markers) is refused: it would make
the image depend on more than this list.
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
    """What is wrong at a line, and how to correct it."""

    line: int
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Locked:
    """One package at one version, and the line it begins on."""

    name: str
    version: str
    line: int


def read_lock(text: str) -> tuple[tuple[Locked, ...], tuple[LockProblem, ...]]:
    """The packages of a list, and everything in it that cannot be used."""
    packages: list[Locked] = []
    wrong: list[LockProblem] = []
    for line, words in _requirements(text):
        pin, hashes = _PIN.fullmatch(words[0]), words[1:]
        if pin is None:
            todo = "write name==version; make the list with `uv pip compile --generate-hashes`"
            wrong.append(
                LockProblem(line, f"{words[0]!r} is not an exact version of a package", todo)
            )
        elif not hashes or not all(_HASH.fullmatch(word) for word in hashes):
            odd = next((word for word in hashes if not _HASH.fullmatch(word)), "no hash")
            todo = "give each file as --hash=sha256:…, and nothing else"
            wrong.append(LockProblem(line, f"{words[0]} is not locked: {odd}", todo))
        else:
            packages.append(Locked(normal_name(pin[1]), pin[2], line))
    wrong += _twice(packages)
    if not packages and not wrong:
        wrong.append(LockProblem(1, "the list is empty", "remove `lock` from template.yaml"))
    if len(packages) > _MAX_PACKAGES:
        wrong.append(
            LockProblem(
                1,
                f"it has {len(packages)} packages, over {_MAX_PACKAGES}",
                "depend on fewer packages",
            )
        )
    return tuple(packages), tuple(wrong)


def _requirements(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, words) of each requirement; comments and continued lines are undone."""
    begun, words = 0, list[str]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw)
        more = line.rstrip().endswith("\\")
        found = line.rstrip().removesuffix("\\").split()
        begun, words = begun or number, words + found
        if not more:
            if words:
                yield begun, words
            begun, words = 0, []
    if words:
        yield begun, words


def _twice(packages: list[Locked]) -> Iterator[LockProblem]:
    seen: dict[str, int] = {}
    for one in packages:
        if one.name in seen:
            yield LockProblem(
                one.line, f"{one.name} is also on line {seen[one.name]}", "remove one of the lines"
            )
        seen[one.name] = one.line


def beside_base(packages: tuple[Locked, ...]) -> Iterator[LockProblem]:
    """Packages that the base image already has, which an install would replace."""
    have = {name for base in BASES for name in base_packages(base)}
    for one in packages:
        if one.name in have:
            yield LockProblem(
                one.line,
                f"{one.name} is already in the base image",
                "remove it, and choose versions of the others that work with the base image's version",
            )


def base_packages(base: str) -> Mapping[str, str]:
    """Version by name of what one of the base images has."""
    text = (shipped_root() / "sandbox" / "locks" / f"{base}.txt").read_text("utf-8")
    return {one.name: one.version for one in read_lock(text)[0]}


def importable() -> frozenset[str]:
    """The names that can be imported in the base image, beside the standard library."""
    text = (shipped_root() / "sandbox" / "imports.txt").read_text("utf-8")
    return frozenset(line.split()[0] for line in text.splitlines() if line.strip())


def normal_name(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
