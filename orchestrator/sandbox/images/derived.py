"""The image of a template that needs more than the base image: the base, and its locked packages.

The host downloads wheels, each by its hash, reads them as archives and sends their files to the
engine; no step of the build runs a program. A package without a wheel is refused, because building
one would run its code. An image is found by its template and flavour, and has the hash of its
inputs as a label.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from orchestrator.core.errors import BadTemplate, ImageBuildFailed, ImageMissing, ImageStale
from orchestrator.core.files import shipped_root, slug
from orchestrator.sandbox.engine.client import Engine, Image, translated
from orchestrator.sandbox.images.build import (
    BASE_LABEL,
    NAME_LABEL,
    RECIPE_LABEL,
    OnLine,
    one_at_a_time,
    run_build,
)
from orchestrator.sandbox.images.images import (
    Built,
    Flavour,
    ImageState,
    build_once,
    find_image,
    resolve_image,
    state_of,
)
from orchestrator.sandbox.images.recipes import tar_member
from orchestrator.sandbox.images.wheel_files import (
    Wheel,
    absent_modules,
    add_wheels,
    read_wheel,
    unmet_needs,
)
from orchestrator.sandbox.images.wheels import fetch_wheels, wheels_home
from orchestrator.template.lockfile import base_packages, importable
from orchestrator.template.template import Template

SANDBOX = "aisci-sandbox"
TEMPLATE_LABEL = "aisci.template"
DOCKERFILE = "sandbox/Dockerfile.derived"


@dataclass(frozen=True, slots=True)
class Derived:
    """The inputs of one template's image, besides the base image."""

    template: str
    origin: str  # of the list, for people
    name: str
    packages: bytes
    imports: tuple[str, ...]
    flavour: Flavour
    recipe: str

    @classmethod
    def of(cls, template: Template, flavour: Flavour) -> Derived | None:
        """The inputs for a template; None if it needs nothing beyond the base image."""
        path = template.manifest.lock
        if path is None:
            return None
        packages, imports = template.files[path], template.manifest.packages
        made = hashlib.sha256((shipped_root() / DOCKERFILE).read_bytes())
        made.update(hashlib.sha256(packages).digest())
        made.update(" ".join((flavour, *imports)).encode())
        name = f"aisci-derived:{slug(template.name)}-{flavour}"
        origin = f"{template.origin}/{path}"
        return cls(template.name, origin, name, packages, imports, flavour, made.hexdigest())


def resolve_template_image(engine: Engine, template: Template, name: str, flavour: Flavour) -> str:
    """The id of the image that ``template`` runs in where a policy names ``name``.

    Raises :class:`BadTemplate` if it needs packages and the policy names an image that is not
    aisci's; :class:`ImageMissing`, :class:`ImageStale`.
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
    if not _unchanged(derived, base, image):
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

    Raises :class:`ImageMissing`, :class:`ImageStale` for the base; :class:`ImageBuildFailed`.
    """
    derived = Derived.of(template, flavour)
    if derived is None:
        return None
    base = resolve_image(engine, f"{SANDBOX}:{flavour}", flavour=flavour)
    fresh = partial(_unchanged, derived, base)
    build = one_at_a_time(say)(partial(_build, engine, derived, base, ca_bundle, say))
    return build_once(engine, derived.name, fresh, build, say)


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
    contents = tuple(read_wheel(path) for path in sorted(wheels.glob("*.whl")))
    _require_agreement(derived, contents)
    say(f"building {derived.name} (packages of the template {derived.template})")
    labels = {NAME_LABEL: derived.name, RECIPE_LABEL: derived.recipe, BASE_LABEL: base}
    labels[TEMPLATE_LABEL] = derived.template
    write = partial(_write_context, wheels=contents)
    return run_build(
        engine,
        derived.name,
        DOCKERFILE,
        write,
        labels=labels,
        args={"SANDBOX": base},
        say=say,
        online=False,
    )


def _require_agreement(derived: Derived, wheels: Sequence[Wheel]) -> None:
    """Raise :class:`ImageBuildFailed` for a need that is not met, or a module that never comes."""
    known = base_packages(f"{SANDBOX.removeprefix('aisci-')}-{derived.flavour}")
    modules = importable() | sys.stdlib_module_names
    wrong = [*unmet_needs(wheels, known), *absent_modules(wheels, derived.imports, modules)]
    if wrong:
        raise ImageBuildFailed(
            f"the packages of the template {derived.template} do not agree",
            where=derived.origin,
            why="; ".join(wrong[:8]),
            todo="correct the list, or `packages` in template.yaml",
        )


def _write_context(out: IO[bytes], wheels: Sequence[Wheel]) -> None:
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        dockerfile = shipped_root() / DOCKERFILE
        with dockerfile.open("rb") as data:
            tar.addfile(tar_member(DOCKERFILE, dockerfile.stat().st_size), data)
        add_wheels(tar, wheels, "extra")


def list_derived(engine: Engine) -> tuple[ImageState, ...]:
    """Every template's image; stale if its base image has changed."""
    with translated("listing the images of templates"):
        images = engine.images.list(filters={"label": TEMPLATE_LABEL})
        bases = {str(image.id) for image in engine.images.list(name=SANDBOX)}
    return tuple(
        state_of(
            image,
            image.labels[NAME_LABEL],
            f"the template {image.labels[TEMPLATE_LABEL]}, with packages of its own",
            recipe=image.labels[RECIPE_LABEL],
            ready=image.labels.get(BASE_LABEL) in bases,
        )
        for image in sorted(images, key=lambda image: str(image.labels.get(NAME_LABEL)))
        if image.tags
    )


def _unchanged(derived: Derived, base: str, image: Image) -> bool:
    labels = image.labels
    return labels.get(RECIPE_LABEL) == derived.recipe and labels.get(BASE_LABEL) == base
