"""What a run would do, and what it lacks: nothing is started, asked or written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.api.adapters import kept_for
from orchestrator.api.allowed_models import is_free
from orchestrator.api.batch_reviews import require_batches
from orchestrator.api.data import data_for
from orchestrator.api.effort_use import EffortUse
from orchestrator.api.estimate import Estimate, estimate_of
from orchestrator.api.images import resolve_images
from orchestrator.api.parallel import ideas_in_flight, require_gpus
from orchestrator.api.prepare import RunRequest, open_author, prepare
from orchestrator.api.servers import require_servers
from orchestrator.api.sweepable import require_sweepable
from orchestrator.api.writable import require_writable
from orchestrator.core.errors import AisciError, BadPolicy
from orchestrator.core.job import KINDS
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.record.asked_stages import LEFT_OUT, STAGE_NAMES
from orchestrator.research.run_spec import RunSpec
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.gpus.choice import gpu_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What the run needs and does not find here: as its error would say it."""

    what: str
    where: str
    why: str
    todo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """A run as it would be. ``ideas`` are the names of those of a list; without a list, ``count`` are proposed.
    ``models`` are (role, name, server), ``images`` (name, id) as far as they are there, ``baseline`` says where
    it comes from. ``effort`` are lines on how much models think. ``folder`` is where its record would lie; ``lacks`` is empty for a run that can start.
    """

    template: str
    scale: str
    count: int
    ideas: tuple[str, ...]
    stages: tuple[str, ...]
    left_out: tuple[str, ...]
    parallel: int
    models: tuple[tuple[str, str, str], ...]
    effort: tuple[str, ...]
    policy: str
    policy_origin: str
    policy_hash: str
    why_policy: str
    usd: float
    containers: int
    network: bool
    data: tuple[str, ...]
    images: tuple[tuple[str, str], ...]
    baseline: str
    folder: Path
    estimate: Estimate
    lacks: tuple[Lack, ...]


def preview_run(request: RunRequest) -> DryRun:
    """What ``request`` would start. Raises :class:`UserError` and its children for what it gets wrong by itself."""
    gpu_choice(request.gpus)
    try:
        prepared = prepare(request, to_start=False)
    except BadPolicy:
        require_writable(request.results)  # a folder that is on no disk has no room for any policy
        raise
    setup, lacks = _with_data(prepared.setup, request)
    images, missing = _images(setup)
    setup, policy = replace(setup, images=images), setup.policy
    pins = [
        ("", setup.model, setup.server),
        *((one.role, one.name, one.server) for one in setup.roles),
    ]
    lacks += missing
    return DryRun(
        template=setup.template.name,
        scale=setup.scale,
        count=setup.ideas,
        ideas=tuple(idea.name for idea in setup.given),
        stages=_stages(setup),
        left_out=LEFT_OUT[setup.leave_out],
        parallel=ideas_in_flight(setup, request.parallel),
        models=tuple(pins),
        effort=EffortUse(setup).words(),
        policy=policy.name,
        policy_origin=policy.origin,
        policy_hash=policy.hash,
        why_policy=prepared.why_policy,
        usd=0.0 if all(is_free(name) for _, name, _ in pins) else policy.run.usd,
        containers=policy.run.containers,
        network=any(policy.limits(kind).network for kind in KINDS),
        data=tuple(one.name for one in setup.template.manifest.needed(setup.scale)),
        images=images,
        baseline=_baseline(setup, fresh=request.fresh, known=not missing),
        folder=request.results / setup.template.name,
        estimate=estimate_of(setup, request),
        lacks=tuple(dict.fromkeys(lacks)),
    )


def _with_data(setup: RunSpec, request: RunRequest) -> tuple[RunSpec, list[Lack]]:
    """The set-up with its data if that is here; and what else is missing but images."""
    lacks = [
        *_lacking(lambda: require_writable(request.results)),
        *_lacking(lambda: require_gpus(request.gpus, setup.policy)),
        *_lacking(lambda: _require_models(setup, request)),
        *_lacking(lambda: require_sweepable(setup)),
        *_lacking(lambda: require_batches(setup)),
        *_lacking(lambda: require_servers(setup)),
    ]
    try:
        data = data_for(setup.template, setup.scale, setup.policy, request.data)
    except AisciError as error:
        return setup, [*lacks, _lack(error)]
    return replace(setup, data=data), lacks


def _stages(setup: RunSpec) -> tuple[str, ...]:
    """The stages that each idea goes through."""
    asked = setup.reviewing.improve > 0
    wanted = (one for one in STAGE_NAMES if asked or one != "improve")
    return tuple(one for one in wanted if one not in LEFT_OUT[setup.leave_out])


def _lacking(check: Callable[[], object]) -> Iterator[Lack]:
    try:
        check()
    except AisciError as error:
        yield _lack(error)


def _lack(error: AisciError) -> Lack:
    return Lack(what=error.what, where=error.where, why=error.why, todo=error.todo)


def _require_models(setup: RunSpec, request: RunRequest) -> None:
    """Raise what a run raises for a key or a price that is missing."""
    for name in (setup.model, *(pin.name for pin in setup.roles)):
        model = open_author(name, environ=os.environ)
        prices_of(model, stated_price(request.price if name == setup.model else None, name))


def _images(setup: RunSpec) -> tuple[tuple[tuple[str, str], ...], list[Lack]]:
    """The images that are there, and what is missing: each kind of container is looked at by itself."""
    found: dict[str, str] = {}
    lacks: list[Lack] = []
    try:
        engine = connect()
    except AisciError as error:
        return (), [_lack(error)]
    try:
        for kind in KINDS:
            try:
                found |= resolve_images(setup.policy, engine, setup.template, (kind,))
            except AisciError as error:
                lacks.append(_lack(error))
    finally:
        engine.close()
    return tuple(sorted(found.items())), lacks


def _baseline(setup: RunSpec, *, fresh: bool, known: bool) -> str:
    if fresh:
        return "measured in this run (--fresh)"
    if not known:
        return "not known without the images"
    kept = kept_for(setup)
    return f"as kept since {kept.at}, {kept.seconds:.0f} s saved" if kept else "measured first"
