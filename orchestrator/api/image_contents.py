"""What the images of a run hold, for the first line of its record: read once per image on this machine."""

from __future__ import annotations

from orchestrator.core.errors import AisciError, DiskFull, EngineUnavailable, Interrupted
from orchestrator.core.sanitize import plain_line
from orchestrator.exchange.image_contents import contents_of, list_file
from orchestrator.record.blobs import BlobStore
from orchestrator.record.heard import Notice
from orchestrator.record.journal import Listener
from orchestrator.record.pins import ImageContents
from orchestrator.sandbox.engine.client import Engine, NotFound, translated
from orchestrator.sandbox.images.build import BASE_LABEL

_DEEPEST = 8  # images built on images


def record_contents(
    images: tuple[tuple[str, str], ...], engine: Engine, blobs: BlobStore, listener: Listener
) -> tuple[ImageContents, ...]:
    """The contents of each image, (name, id), with its package list in ``blobs``.

    An image that does not tell its packages is recorded with the reason: it is no reason not to run.
    """
    return tuple(_contents(name, image_id, engine, blobs, listener) for name, image_id in images)


def _contents(
    name: str, image_id: str, engine: Engine, blobs: BlobStore, listener: Listener
) -> ImageContents:
    packages = why = ""
    try:
        if not list_file(image_id).is_file():
            listener(Notice(f"packages: reading what {name} holds, once for this image"))
        packages = blobs.put(contents_of(engine, image_id))
    except (Interrupted, EngineUnavailable, DiskFull):
        raise
    except (AisciError, OSError, ValueError) as error:
        what = (
            ": ".join(filter(None, (error.what, error.why)))
            if isinstance(error, AisciError)
            else str(error)
        )
        why = plain_line(what)[:300]
        listener(
            Notice(f"packages: {name} did not tell what it holds, and the record says so ({why})")
        )
    base, digests = _origin(engine, image_id)
    return ImageContents(
        name=name, id=image_id, base=base, digests=digests, packages=packages, why=why
    )


def _origin(engine: Engine, image_id: str) -> tuple[str, tuple[str, ...]]:
    """The id of the image that this one was built on, and what registries call the lowest one known here."""
    base, at, digests = "", image_id, tuple[str, ...]()
    for _ in range(_DEEPEST):
        with translated("looking for an image's base"):
            try:
                image = engine.images.get(at)
            except NotFound:
                break
        # Of a base that no registry names, the image's own names are what others can find it by.
        digests = tuple(sorted(map(str, image.attrs.get("RepoDigests") or ()))) or digests
        at = str(image.labels.get(BASE_LABEL) or "")
        base = base or at
        if not at:
            break
    return base, digests
