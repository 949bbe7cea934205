"""Bills of materials: of the program on this host, of an image, and of the images of a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator import __version__
from orchestrator.api.find_run import find_run, id_of
from orchestrator.core.errors import UnknownName, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.sanitize import plain_line
from orchestrator.core.untrusted import require_plain
from orchestrator.exchange.bill import bill_of, bill_of_parts
from orchestrator.exchange.components import SoftwarePackage
from orchestrator.exchange.host_packages import (
    DISTRIBUTION,
    locked_packages,
    packages_here,
)
from orchestrator.exchange.image_contents import MOST_OF_A_LIST, listed_packages
from orchestrator.exchange.image_packages import image_packages
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import read_lines
from orchestrator.record.events import Forked, RunStarted
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ImageContents
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.images.build import BASE_LABEL, RECIPE_LABEL
from orchestrator.sandbox.images.images import find_image, full_name, resolve_image
from orchestrator.sandbox.images.recipes import RECIPES


def bill_of_host() -> dict[str, Any]:
    """The program's own packages: by the lock of a checkout with their hashes, else as they are installed."""
    lock = shipped_root() / "uv.lock"
    packages = locked_packages(lock) if lock.is_file() else packages_here()
    subject = {
        "type": "application",
        "bom-ref": f"pkg:pypi/{DISTRIBUTION}@{__version__}",
        "name": DISTRIBUTION,
        "version": __version__,
        "purl": f"pkg:pypi/{DISTRIBUTION}@{__version__}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    source = "uv.lock" if lock.is_file() else "the installed packages"
    return bill_of(subject, packages, {"packages-from": source})


def bill_of_image(engine: Engine, name: str) -> dict[str, Any]:
    """What is in an image of ours or of somebody's, its base, and the recipe that it was built from.

    Raises :class:`UnknownName` for an image that the engine does not have, :class:`ImageMissing`,
    :class:`ImageStale`, :class:`EngineFailed`.
    """
    known = [recipe.name for recipe in RECIPES]
    image = find_image(engine, full_name(name, "cpu"))
    if image is None and full_name(name, "cpu") not in known:
        raise UnknownName(
            f"the engine has no image {name!r}",
            where=f"aisci sbom {name}",
            todo=f"`aisci images list` shows ours: {', '.join(known)}; or: docker pull {name}",
        )
    sha256 = resolve_image(engine, name)
    labels = dict(image.labels) if image is not None else {}
    subject = _image_component(name, sha256)
    facts = {"base": BASE_LABEL, "recipe": RECIPE_LABEL}
    properties = {key: str(labels[label]) for key, label in facts.items() if label in labels}
    digests = image.attrs.get("RepoDigests") if image is not None else None
    if digests:
        properties["digests"] = ", ".join(map(str, digests))
    packages = image_packages(engine, name)
    return bill_of(subject, packages, {**properties, "packages-from": "a container of the image"})


def bill_of_run(name: str, results: Path) -> dict[str, Any]:
    """What each image of a run held, by the run's record: no engine is asked, and the images may be gone.

    Raises :class:`UnknownName`, :class:`UserError` for a record without lists, :class:`BadJournal`.
    """
    paths = find_run(name, results)
    require_plain(paths.folder)
    told, head = _recorded(paths)
    if not told:
        raise UserError(
            "the record of this run does not say what its images held",
            where=str(paths.journal),
            why="it was begun by an aisci that did not note it",
            todo="`aisci sbom IMAGE` tells what an image holds that the engine still has",
        )
    run = id_of(paths.folder)
    subject = {"type": "application", "bom-ref": f"run:{head}", "name": run, "version": head}
    blobs = BlobStore.reading(paths.blobs)
    parts = (
        (_image_component(one.name, one.id), _packages(one, blobs), _facts(one)) for one in told
    )
    return bill_of_parts(subject, parts, {"packages-from": "the record of the run"})


def _recorded(paths: RunPaths) -> tuple[tuple[ImageContents, ...], str]:
    """The contents of every image of the run, also of earlier branches, and the hash of the run's first line."""
    found, head = dict[str, ImageContents](), ""
    for line, sha256 in read_lines(paths.journal):
        head = head or sha256
        if isinstance(line, RunStarted | Forked):
            found |= {one.id: one for one in line.contents if one.packages or one.id not in found}
    return tuple(sorted(found.values(), key=lambda one: (one.name, one.id))), head


def _packages(image: ImageContents, blobs: BlobStore) -> tuple[SoftwarePackage, ...]:
    if not image.packages:
        return ()
    told = blobs.get(image.packages, MOST_OF_A_LIST)
    return listed_packages(told, str(blobs.folder / image.packages), image.id)


def _facts(image: ImageContents) -> dict[str, str]:
    facts = {
        "base": image.base,
        "digests": ", ".join(image.digests),
        "packages": image.packages or f"not told: {image.why}",
    }
    return {key: plain_line(value) for key, value in facts.items() if value}


def _image_component(name: str, sha256: str) -> dict[str, Any]:
    return {
        "type": "container",
        "bom-ref": sha256,
        "name": plain_line(name),
        "version": sha256,
        "hashes": [{"alg": "SHA-256", "content": sha256.removeprefix("sha256:")}],
    }
