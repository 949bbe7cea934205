"""The package list of an image as one file: read once per image, kept by the image's id, named by its hash.

The bytes of a list depend on the image alone, so that runs on the same image name the same hash.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from orchestrator.core.decode import decode
from orchestrator.core.errors import BadJournal
from orchestrator.core.files import cache_home, write
from orchestrator.core.tree import canonical
from orchestrator.exchange.components import SoftwarePackage
from orchestrator.exchange.image_packages import image_packages
from orchestrator.record.events import from_json
from orchestrator.sandbox.engine.client import Engine

MOST_OF_A_LIST = 16 << 20  # bytes
_FORMAT = 1
_ID = re.compile(r"sha256:([0-9a-f]{64})")


def contents_of(engine: Engine, image_id: str, kept: Path | None = None) -> bytes:
    """The list of the image with this id, from ``kept`` where an earlier run read it, else from a container.

    Raises :class:`AisciError` for an image that does not tell.
    """
    place = list_file(image_id, kept)
    with suppress(OSError, BadJournal):
        told = place.read_bytes()
        listed_packages(told, str(place), image_id)
        return told
    told = package_list(image_id, image_packages(engine, image_id))
    write(place, told)
    return told


def list_file(image_id: str, kept: Path | None = None) -> Path:
    """Where the list of an image is kept on this machine. Raises ValueError for what is no image's id."""
    match = _ID.fullmatch(image_id)
    if match is None:
        raise ValueError(f"not an image's id: {image_id[:80]!r}")
    return (kept or cache_home() / "packages") / f"{match[1]}.json"


def package_list(image_id: str, packages: tuple[SoftwarePackage, ...]) -> bytes:
    """The list as bytes."""
    ordered = sorted({one.purl: one for one in packages}.items())
    return canonical(
        {"format": _FORMAT, "image": image_id, "packages": [one for _, one in ordered]}
    )


def listed_packages(told: bytes, where: str, image_id: str) -> tuple[SoftwarePackage, ...]:
    """The packages of a list. Raises :class:`BadJournal` for one that is not of this image, or no list at all."""
    why = ""
    try:
        value = from_json(told)
        if value["format"] == _FORMAT and value["image"] == image_id:
            return decode(tuple[SoftwarePackage, ...], value["packages"])
        why = "it is of another image, or of another version"
    except (ValidationError, ValueError, LookupError, TypeError, RecursionError) as error:
        why = str(error).split("\n", maxsplit=1)[0][:200]
    raise BadJournal(
        "the package list of an image cannot be read",
        where=where,
        why=why,
        todo="restore the record from a copy; a list in the cache is made again",
    )
