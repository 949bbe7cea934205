"""Images of ours that no name points to any more: what was built before the present ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.sandbox.engine.client import APIError, Engine, NotFound, translated
from orchestrator.sandbox.images.build import NAME_LABEL

_IN_USE = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class DanglingImage:
    """``name`` is the one that it had; ``size`` counts layers that other images may share."""

    id: str
    name: str
    size: int


def dangling_images(engine: Engine) -> tuple[DanglingImage, ...]:
    """Images without a name that carry our label; other people's have none. Raises :class:`EngineFailed`."""
    with translated("listing images without a name"):
        found = engine.images.list(filters={"dangling": True, "label": NAME_LABEL})
    return tuple(
        DanglingImage(
            id=str(image.id),
            name=str(image.labels[NAME_LABEL]),
            size=int(image.attrs.get("Size", 0)),
        )
        for image in sorted(found, key=lambda image: str(image.id))
        if not image.tags and NAME_LABEL in image.labels
    )


def remove_dangling(engine: Engine, images: Iterable[DanglingImage]) -> tuple[DanglingImage, ...]:
    """Remove them but those that a container uses or that are gone; return those that were removed."""
    removed = []
    for image in images:
        with translated(f"removing the image {image.id[:19]}"):
            try:
                engine.images.remove(image.id)
            except NotFound:
                continue
            except APIError as error:
                if error.status_code == _IN_USE:
                    continue
                raise
        removed.append(image)
    return tuple(removed)
