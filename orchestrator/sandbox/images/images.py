"""aisci's images: which exist, whether they match this program, and how they are built.

An image has the hash of its recipe as a label. A build is skipped while the recipe has that
hash; :func:`resolve_image` refuses an image with another one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Literal

from orchestrator.core.errors import ImageMissing, ImageStale, UnknownName
from orchestrator.core.files import shipped_root
from orchestrator.core.units import TIMES
from orchestrator.sandbox.engine.client import Engine, Image, NotFound, translated
from orchestrator.sandbox.images.age import made_at, seconds_since
from orchestrator.sandbox.images.base import find_base
from orchestrator.sandbox.images.build import (
    BASE_LABEL,
    RECIPE_LABEL,
    OnLine,
    build_image,
    one_at_a_time,
)
from orchestrator.sandbox.images.recipes import RECIPES, Recipe, recipe_hash

Flavour = Literal["cpu", "cuda"]
# What `aisci images build` makes when no image is named; CUDA's gigabytes only on request.
DEFAULT_IMAGES = ("aisci-sandbox:cpu", "aisci-latex", "aisci-editor", "aisci-storage")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageState:
    """One of aisci's images in the engine. ``size`` in bytes; 0 and "" where it is missing."""

    name: str
    about: str
    state: Literal["ready", "stale", "missing"]
    recipe: str  # the hash that it should have
    id: str = ""
    size: int = 0
    created: str = ""  # of its oldest own layer

    def age(self, now: datetime) -> int:
        """Whole days since it was built; 0 where that is unknown."""
        return int((seconds_since(self.created, now) or 0) // TIMES["d"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The result for one image. ``seconds`` is wall time."""

    name: str
    id: str
    skipped: bool  # its recipe, and the base that was asked for, had not changed
    seconds: float


def list_images(engine: Engine, *, root: Path | None = None) -> tuple[ImageState, ...]:
    """The state of each of aisci's images; ``root`` holds ``sandbox/``, None for the shipped one."""
    home = root or shipped_root()
    return tuple(_state(engine, recipe, home) for recipe in RECIPES)


def _state(engine: Engine, recipe: Recipe, root: Path) -> ImageState:
    want = recipe_hash(recipe, root)
    image = find_image(engine, recipe.name)
    if image is None:
        return ImageState(name=recipe.name, about=recipe.about, state="missing", recipe=want)
    ready = image.labels.get(RECIPE_LABEL) == want
    return state_of(image, recipe.name, recipe.about, recipe=want, ready=ready)


def state_of(image: Image, name: str, about: str, *, recipe: str, ready: bool) -> ImageState:
    """An image that the engine has; ``recipe`` is the hash that it should have."""
    return ImageState(
        name=name,
        about=about,
        state="ready" if ready else "stale",
        recipe=recipe,
        id=str(image.id),
        size=int(image.attrs.get("Size", 0)),
        created=made_at(image),
    )


def full_name(name: str, flavour: Flavour) -> str:
    """The image that a policy's name means: ``aisci-sandbox`` alone is the flavour's."""
    return f"{name}:{flavour}" if name == "aisci-sandbox" else name


def resolve_image(
    engine: Engine, name: str, *, flavour: Flavour = "cpu", root: Path | None = None
) -> str:
    """The id of the image that a policy names, after checking that it matches this program.

    ``aisci-sandbox`` alone means the flavour: ``cuda`` where the job gets a GPU. An image that is
    not aisci's is used as it is: the policy's author is responsible for it.

    Raises :class:`ImageMissing`, :class:`ImageStale` (of another recipe), :class:`EngineFailed`.
    """
    full = full_name(name, flavour)
    recipe = _by_name(full)
    if recipe is None:
        image = find_image(engine, full)
        if image is None:
            known = ", ".join(r.name for r in RECIPES)
            raise ImageMissing(
                f"there is no image {full!r}",
                where="the policy's image",
                why=f"it is not one of aisci's own ({known}), and the engine does not have it",
                todo=f"correct the policy's `image`, or: docker pull {full}",
            )
        return str(image.id)
    state = _state(engine, recipe, root or shipped_root())
    todo = f"aisci images build {recipe.name}"
    if state.state == "missing":
        raise ImageMissing("an image is not built", where=recipe.name, todo=todo)
    if state.state == "stale":
        raise ImageStale(
            f"the image {recipe.name} was built from another recipe",
            where=state.id,
            why=f"its label {RECIPE_LABEL} is not {state.recipe[:12]}…, the hash of this aisci's "
            f"{recipe.dockerfile}, lock and folders",
            todo=todo,
        )
    return state.id


def build_images(
    engine: Engine,
    names: Sequence[str] = DEFAULT_IMAGES,
    *,
    base: str | None = None,
    ca_bundle: Path | None = None,
    root: Path | None = None,
    fresh: bool = False,
    say: OnLine,
) -> tuple[Built, ...]:
    """Build the named images, skipping each whose recipe has not changed, unless ``fresh``: then
    the base is asked of its registry and no layer of an earlier build is used, so that Debian's
    security updates are in.

    ``:latest`` is optional in ``names``, and ``aisci-sandbox`` alone means the CPU flavour. ``base``
    is an image to build on instead of Debian 12 (then part of what "unchanged" means), ``ca_bundle``
    a PEM file for downloading wheels (None: SSL_CERT_FILE, if set), ``root`` the folder of
    ``sandbox/`` (None: the shipped one). ``say`` gets lines without control characters.

    Raises :class:`UnknownName`, :class:`ImageBuildFailed` with the output's last lines, and
    :class:`EngineFailed`.
    """
    recipes, root = [_known(name) for name in names], root or shipped_root()
    find = cache(lambda: find_base(engine, base, say, fresh=fresh))
    make = partial(
        build_image, engine, root=root, base=find, ca_bundle=ca_bundle, say=say, fresh=fresh
    )
    with one_at_a_time(say):
        same = partial(_unchanged, root=root, base_id=find() if base else "")
        unchanged = (lambda _recipe, _image: False) if fresh else same
        return tuple(
            build_once(engine, one.name, partial(unchanged, one), partial(make, one), say)
            for one in recipes
        )


def build_once(
    engine: Engine,
    name: str,
    unchanged: Callable[[Image], bool],
    build: Callable[[], Image],
    say: OnLine,
) -> Built:
    """The image ``name``, built if the engine has none, or one that has changed."""
    began = time.monotonic()
    image = find_image(engine, name)
    fresh = image is not None and unchanged(image)
    if image is None or not fresh:
        image = build()
    seconds = time.monotonic() - began
    say(f"{name}: {'unchanged' if fresh else f'built in {seconds:.0f} s'}")
    return Built(name=name, id=str(image.id), skipped=fresh, seconds=seconds)


def _unchanged(recipe: Recipe, image: Image, *, root: Path, base_id: str) -> bool:
    labels = image.labels
    same_base = not base_id or labels.get(BASE_LABEL) == base_id
    return same_base and labels.get(RECIPE_LABEL) == recipe_hash(recipe, root)


def _known(name: str) -> Recipe:
    recipe = _by_name("aisci-sandbox:cpu" if name == "aisci-sandbox" else name)
    if recipe is None:
        raise UnknownName(
            f"there is no image recipe {name!r}",
            where="images build",
            todo="one of: " + ", ".join(r.name.removesuffix(":latest") for r in RECIPES),
        )
    return recipe


def _by_name(name: str) -> Recipe | None:
    return next((r for r in RECIPES if name in (r.name, r.name.removesuffix(":latest"))), None)


def find_image(engine: Engine, name: str) -> Image | None:
    """The image of that name, if the engine has it."""
    with translated(f"looking for the image {name}"):
        try:
            return engine.images.get(name)
        except NotFound:
            return None
