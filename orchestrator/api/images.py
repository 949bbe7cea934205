"""The images of a run: resolved to ids, and held to those that the run began with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.api.signed_images import require_signed_images
from orchestrator.core.errors import ImageMissing, ImageStale
from orchestrator.core.job import KINDS, ContainerKind, Limits
from orchestrator.policy.policy import Policy
from orchestrator.research.run_spec import RunSpec
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.images.age import require_recent
from orchestrator.sandbox.images.derived import build_derived, resolve_template_image
from orchestrator.sandbox.images.images import (
    Flavour,
    build_images,
    full_name,
    list_images,
    resolve_image,
)
from orchestrator.sandbox.job.verify import check_engine
from orchestrator.sandbox.resources import STORAGE_IMAGE, engine_socket
from orchestrator.template.template import Template


def resolve_images(
    policy: Policy,
    engine: Engine,
    template: Template | None = None,
    kinds: tuple[ContainerKind, ...] = KINDS,
) -> tuple[tuple[str, str], ...]:
    """(name, id) of the image of each kind of container, and of the trusted helper's.

    A template that needs packages has an image of its own, under the name that the policy gives.

    Raises:
        ControlUnavailable: this engine cannot hold the policy; known before anything is paid.
        ImageMissing, ImageStale: one is to be built; or it is older than the policy allows.
        UserError: this machine takes signed images alone, and one is not.
    """
    engine_socket(engine)
    found = {STORAGE_IMAGE: resolve_image(engine, STORAGE_IMAGE)}
    used = {
        kind: policy.limits(kind)
        for kind in kinds
        if not (kind == "editor" and policy.editor_on_host)
    }
    for kind, limits in used.items():
        check_engine(engine, limits)
        flavour = _flavour(limits)
        if kind == "experiment" and template is not None:
            found[limits.image] = resolve_template_image(engine, template, limits.image, flavour)
        else:
            found[limits.image] = resolve_image(engine, limits.image, flavour=flavour)
    require_recent_images(policy, engine, used)
    require_signed_images(sorted(found.items()))
    return tuple(sorted(found.items()))


def built_images(
    policy: Policy, engine: Engine, template: Template, say: Callable[[str], None]
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """As :func:`resolve_images`, after building what is missing or of another recipe; and whether anything was.
    One that is not aisci's, or is too old for the policy, is an error still.
    """
    try:
        return resolve_images(policy, engine, template), False
    except (ImageMissing, ImageStale):
        limits = [policy.limits(kind) for kind in KINDS]
    wanted = {STORAGE_IMAGE, *(full_name(one.image, _flavour(one)) for one in limits)}
    ours = [one.name for one in list_images(engine) if one.name.removesuffix(":latest") in wanted]
    build_images(engine, ours, say=say)
    build_derived(engine, template, _flavour(policy.limits("experiment")), ca_bundle=None, say=say)
    return resolve_images(policy, engine, template), True


def require_recent_images(
    policy: Policy, engine: Engine, used: Mapping[ContainerKind, Limits]
) -> None:
    """Raise :class:`ImageStale` for an image of ``used`` that is older than the policy allows.

    A template's own image is younger than the base image that it was built on, which is the one
    that the policy names. The trusted helper's image has the lowest of the policy's bounds.
    """
    bounds: list[tuple[float, str, str]] = []
    for kind, limits in used.items():
        most = getattr(policy.whole, kind).image_age
        if not isinstance(most, str):
            image = full_name(limits.image, _flavour(limits))
            bounds.append((most, image, f"{kind}.image_age"))
    if bounds:
        most, _, key = min(bounds)
        bounds.append((most, STORAGE_IMAGE, key))
    for most, image, key in bounds:
        require_recent(engine, image, most, key)


def _flavour(limits: Limits) -> Flavour:
    return "cuda" if limits.gpus else "cpu"


def same_images(setup: RunSpec, engine: Engine) -> None:
    """Raise :class:`ImageStale` where an image is no longer the one that the run began with.

    One that must be built again is another then, so that only a fork can use it.
    """
    try:
        images = resolve_images(setup.policy, engine, setup.template)
    except ImageStale as error:
        error.todo += "; then `aisci resume --fork`, which continues with the new image"
        raise
    for name, image in images:
        pinned = dict(setup.images).get(name)
        if pinned != image:
            raise ImageStale(
                f"the image {name} is not the one that this run began with",
                where=f"recorded {pinned}, now {image}",
                todo="`aisci resume --fork` goes on with the present one, and says so",
            )
