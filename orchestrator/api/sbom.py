"""Bills of materials: of the program on this host, and of an image."""

from __future__ import annotations

from typing import Any

from orchestrator import __version__
from orchestrator.core.errors import UnknownName
from orchestrator.core.files import shipped_root
from orchestrator.exchange.bill import bill_of
from orchestrator.exchange.host_packages import (
    DISTRIBUTION,
    locked_packages,
    packages_here,
)
from orchestrator.exchange.image_packages import image_packages
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
    subject = {
        "type": "container",
        "bom-ref": sha256,
        "name": name,
        "version": sha256,
        "hashes": [{"alg": "SHA-256", "content": sha256.removeprefix("sha256:")}],
    }
    facts = {"base": BASE_LABEL, "recipe": RECIPE_LABEL}
    properties = {key: str(labels[label]) for key, label in facts.items() if label in labels}
    digests = image.attrs.get("RepoDigests") if image is not None else None
    if digests:
        properties["digests"] = ", ".join(map(str, digests))
    packages = image_packages(engine, name)
    return bill_of(subject, packages, {**properties, "packages-from": "a container of the image"})
