"""The Python packages that the program on this host is made of: those of its lock, or those installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from orchestrator.core.strict_toml import read_uv_lock
from orchestrator.exchange.components import SoftwarePackage, licence_of, python_name

DISTRIBUTION = "aisci-lab"
_REQUIRED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def locked_packages(lock: Path) -> tuple[SoftwarePackage, ...]:
    """The packages that ``uv.lock`` has for the host, with their hashes, and no tool of development or of images.

    Raises :class:`BadFile`.
    """
    known: dict[str, list[dict[str, Any]]] = {}
    for one in read_uv_lock(lock):
        known.setdefault(str(one["name"]), []).append(one)
    wanted, todo = set[str](), [DISTRIBUTION]
    while todo:
        name = todo.pop()
        if name in wanted:
            continue
        wanted.add(name)
        for one in known.get(name, []):
            todo += [str(need["name"]) for need in one.get("dependencies", [])]
            for extra in _extras(name, known):
                needs = one.get("optional-dependencies", {}).get(extra, [])
                todo += [str(need["name"]) for need in needs]
    wanted.discard(DISTRIBUTION)
    every = (_locked(one) for name in sorted(wanted) for one in known.get(name, []))
    return tuple(one for one in every if one.files)  # the others are for another system


def _extras(name: str, known: dict[str, list[dict[str, Any]]]) -> set[str]:
    """The extras of ``name`` that any package asks for."""
    needs = (
        need for every in known.values() for one in every for need in one.get("dependencies", [])
    )
    return {extra for need in needs if need["name"] == name for extra in need.get("extra", [])}


def _locked(one: dict[str, Any]) -> SoftwarePackage:
    name, version = str(one["name"]), str(one["version"])
    files = [one["sdist"]] if "sdist" in one else []
    files += [wheel for wheel in one.get("wheels", []) if _for_linux(str(wheel["url"]))]
    licence, expression = installed_licence(name, version)
    return SoftwarePackage(
        kind="pypi",
        name=name,
        version=version,
        licence=licence,
        expression=expression,
        files=tuple((str(f["url"]), str(f["hash"]).removeprefix("sha256:")) for f in files),
    )


def _for_linux(url: str) -> bool:
    return url.endswith("-any.whl") or ("linux" in url and "x86_64" in url and "musl" not in url)


def installed_licence(name: str, version: str) -> tuple[str, bool]:
    """The licence of a package as it is installed here; empty where this very version is not."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return "", False
    return (
        licence_of(found.read_text("METADATA") or "") if found.version == version else ("", False)
    )


def packages_here() -> tuple[SoftwarePackage, ...]:
    """The packages that the installed program needs, as they are installed; without a lock, and so without hashes."""
    return tuple(_installed(name) for name in sorted(set(_needed())))


def _needed() -> Iterator[str]:
    seen, todo = set[str](), [DISTRIBUTION]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            requires = metadata.distribution(name).requires or []
        except (
            metadata.PackageNotFoundError
        ):  # not for this system, or an extra that nobody asked for
            continue
        if name != DISTRIBUTION:
            yield name
        for line in requires:
            match = _REQUIRED.match(line)
            if match and "extra ==" not in line:
                todo.append(python_name(match[0]))


def _installed(name: str) -> SoftwarePackage:
    version = metadata.version(name)
    licence, expression = installed_licence(name, version)
    return SoftwarePackage(
        kind="pypi", name=name, version=version, licence=licence, expression=expression
    )
