"""The image of a template that needs more than the base image: the base, and its locked packages.

The host downloads wheels, each by its hash, and never runs them; a package without a wheel is
refused, because building one would run its code. An image is found by its template and flavour,
and has the hash of its inputs as a label.
"""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from orchestrator.core.errors import BadTemplate, ImageBuildFailed, ImageMissing, ImageStale
from orchestrator.core.files import shipped_root, slug
from orchestrator.sandbox.engine.client import Engine, Image, translated
from orchestrator.sandbox.images.base import find_base
from orchestrator.sandbox.images.build import (
    BASE_LABEL,
    NAME_LABEL,
    RECIPE_LABEL,
    OnLine,
    one_at_a_time,
    run_build,
)
from orchestrator.sandbox.images.images import Built, ImageState, find_image, resolve_image
from orchestrator.sandbox.images.recipes import add_file, tar_member
from orchestrator.sandbox.images.wheels import fetch_wheels, wheels_home
from orchestrator.template.template import Template

Flavour = Literal["cpu", "cuda"]

SANDBOX = "aisci-sandbox"
REPOSITORY = "aisci-derived"
TEMPLATE_LABEL = "aisci.template"
DOCKERFILE, AGREE = "sandbox/Dockerfile.derived", "sandbox/derived/agree.py"
_LIST, _WHEELS = "install/packages.txt", "install/wheels"


@dataclass(frozen=True, slots=True)
class Derived:
    """The inputs of one template's image, besides the base image."""

    template: str
    origin: str  # of the list, for people
    name: str
    packages: bytes
    imports: tuple[str, ...]
    recipe: str

    @classmethod
    def of(cls, template: Template, flavour: Flavour) -> Derived | None:
        """The inputs for a template; None if it needs nothing beyond the base image."""
        path = template.manifest.lock
        if path is None:
            return None
        packages, imports = template.files[path], template.manifest.packages
        made = hashlib.sha256()
        for name in (DOCKERFILE, AGREE):
            made.update(hashlib.sha256((shipped_root() / name).read_bytes()).digest())
        made.update(hashlib.sha256(packages).digest())
        made.update(" ".join((flavour, *imports)).encode())
        name = f"{REPOSITORY}:{slug(template.name)}-{flavour}"
        origin = f"{template.origin}/{path}"
        return cls(template.name, origin, name, packages, imports, made.hexdigest())


def resolve_template_image(engine: Engine, template: Template, name: str, flavour: Flavour) -> str:
    """The id of the image that ``template`` runs in where a policy names ``name``.

    Raises:
        BadTemplate: it needs packages, which aisci cannot add to the policy's image.
        ImageMissing, ImageStale: an image has to be built.
    """
    base = resolve_image(engine, name, flavour=flavour)
    derived = Derived.of(template, flavour)
    if derived is None:
        return base
    if not name.startswith(SANDBOX):
        raise BadTemplate(
            f"the template {template.name} needs packages, and the policy names another image",
            where=f"the policy's experiment.image: {name}",
            why=f"what {template.manifest.lock} lists is added to {SANDBOX} alone",
            todo=f"use a policy with `image: {SANDBOX}`, or an image that has them and no `lock`",
        )
    todo = f"aisci images build {template.argument}" + (" --flavour cuda" * (flavour == "cuda"))
    image = find_image(engine, derived.name)
    if image is None:
        raise ImageMissing(
            f"the image of the template {template.name} is not built", where=derived.name, todo=todo
        )
    if _state(image, derived.recipe, base) != "ready":
        raise ImageStale(
            f"the image {derived.name} was built from another list, or on another base image",
            where=str(image.id),
            todo=todo,
        )
    return str(image.id)


def build_derived(
    engine: Engine, template: Template, flavour: Flavour, *, ca_bundle: Path | None, say: OnLine
) -> Built | None:
    """Build the template's image on the base image; None if it needs none.

    Raises:
        ImageMissing, ImageStale: the base image has to be built first.
        ImageBuildFailed: a wheel is missing or has another hash; packages conflict.
    """
    derived = Derived.of(template, flavour)
    if derived is None:
        return None
    began = time.monotonic()
    base = resolve_image(engine, f"{SANDBOX}:{flavour}", flavour=flavour)
    image = find_image(engine, derived.name)
    fresh = image is not None and _state(image, derived.recipe, base) == "ready"
    if not fresh:
        with one_at_a_time(say):
            image = _build(engine, derived, base, ca_bundle, say)
    assert image is not None
    seconds = time.monotonic() - began
    say(f"{derived.name}: {'unchanged' if fresh else f'built in {seconds:.0f} s'}")
    return Built(name=derived.name, id=str(image.id), skipped=fresh, seconds=seconds)


def _build(
    engine: Engine, derived: Derived, base: str, ca_bundle: Path | None, say: OnLine
) -> Image:
    home = wheels_home(shipped_root())
    home.mkdir(parents=True, exist_ok=True)
    lock = home / f"derived-{hashlib.sha256(derived.packages).hexdigest()[:16]}.txt"
    lock.write_bytes(derived.packages)
    try:
        wheels = fetch_wheels(lock, home, ca_bundle=ca_bundle, say=say)
    except ImageBuildFailed as error:
        error.what = f"pip could not fetch the packages of the template {derived.template}."
        error.where = derived.origin
        raise
    say(f"building {derived.name} (packages of the template {derived.template})")
    labels = {NAME_LABEL: derived.name, RECIPE_LABEL: derived.recipe, BASE_LABEL: base}
    labels[TEMPLATE_LABEL] = derived.template
    args = {"BASE": find_base(engine, None, say), "SANDBOX": base}
    args["IMPORTS"] = " ".join(derived.imports)
    with tempfile.TemporaryFile(prefix="aisci-context-") as context:
        _write_context(context, lock, wheels)
        context.seek(0)
        return run_build(
            engine, derived.name, DOCKERFILE, context, labels=labels, args=args, say=say
        )


def _write_context(out: IO[bytes], lock: Path, wheels: Path) -> None:
    root = shipped_root()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in (DOCKERFILE, AGREE):
            add_file(tar, name, root / name)
        add_file(tar, _LIST, lock)
        tar.addfile(tar_member(_WHEELS, 0, tarfile.DIRTYPE))
        for wheel in sorted(wheels.glob("*.whl")):
            add_file(tar, f"{_WHEELS}/{wheel.name}", wheel)


def list_derived(engine: Engine) -> tuple[ImageState, ...]:
    """Every template's image; stale if its base image has changed."""
    with translated("listing the images of templates"):
        images = engine.images.list(filters={"label": TEMPLATE_LABEL})
        bases = {str(image.id) for image in engine.images.list(name=SANDBOX)}
    return tuple(
        ImageState(
            name=image.labels[NAME_LABEL],
            about=f"the template {image.labels[TEMPLATE_LABEL]}, with packages of its own",
            state="ready" if image.labels.get(BASE_LABEL) in bases else "stale",
            recipe=image.labels[RECIPE_LABEL],
            id=str(image.id),
            size=int(image.attrs.get("Size", 0)),
            created=str(image.attrs.get("Created", "")),
        )
        for image in sorted(images, key=lambda image: str(image.labels.get(NAME_LABEL)))
        if image.tags
    )


def _state(image: Image, recipe: str, base: str) -> Literal["ready", "stale"]:
    same = image.labels.get(RECIPE_LABEL) == recipe and image.labels.get(BASE_LABEL) == base
    return "ready" if same else "stale"
