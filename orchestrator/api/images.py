"""The images of a run: resolved to ids, and held to those that the run began with."""

from __future__ import annotations

from typing import Literal

from orchestrator.core.errors import ImageStale
from orchestrator.core.job import KINDS, ContainerKind
from orchestrator.policy.policy import Policy
from orchestrator.research.run_spec import RunSpec
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.images.derived import resolve_template_image
from orchestrator.sandbox.images.images import resolve_image
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
        ImageMissing, ImageStale: one is to be built.
    """
    engine_socket(engine)
    found = {STORAGE_IMAGE: resolve_image(engine, STORAGE_IMAGE)}
    for kind in kinds:
        limits = policy.limits(kind)
        if kind == "editor" and policy.editor_on_host:
            continue
        check_engine(engine, limits)
        flavour: Literal["cpu", "cuda"] = "cuda" if limits.gpus else "cpu"
        if kind == "experiment" and template is not None:
            found[limits.image] = resolve_template_image(engine, template, limits.image, flavour)
        else:
            found[limits.image] = resolve_image(engine, limits.image, flavour=flavour)
    return tuple(sorted(found.items()))


def same_images(setup: RunSpec, engine: Engine) -> None:
    """Raise :class:`ImageStale` where an image is no longer the one that the run began with."""
    for name, image in resolve_images(setup.policy, engine, setup.template):
        pinned = dict(setup.images).get(name)
        if pinned != image:
            raise ImageStale(
                f"the image {name} is not the one that this run began with",
                where=f"recorded {pinned}, now {image}",
                todo="`aisci resume --fork` goes on with the present one, and says so",
            )
