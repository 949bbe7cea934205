"""A request for a run becomes a set-up: everything that a person can get wrong is found here.

No folder is made, and nothing is spent.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.api.allowed_models import (
    is_free,
    require_allowed_models,
    require_below_ceilings,
    server_of_model,
)
from orchestrator.api.data import data_for
from orchestrator.api.given_ideas import given_ideas
from orchestrator.api.left_out import require_reviewed
from orchestrator.api.policies import chosen_policy, has_own_image, held_below
from orchestrator.api.raised_budget import with_less
from orchestrator.api.writable import require_writable
from orchestrator.core.errors import UnknownName, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.model import ROLES, SWEEP
from orchestrator.core.problems import nearest
from orchestrator.core.protocols import LanguageModel
from orchestrator.literature.engines.opening import chosen_engines, server_of
from orchestrator.models.effort import parse_effort
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import LitellmModel, open_model
from orchestrator.models.model_end import end_notice
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.proof.store import ProofStore
from orchestrator.record.pins import EnginePin, LeaveOut, ModelPin, ReviewPin
from orchestrator.record.signing import Signer
from orchestrator.research.preflight import require_time
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.sweep import SweepModel
from orchestrator.template.contract import require_contract
from orchestrator.template.template import load_template

RESULTS = Path("results")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a run is asked to do, as a person writes it.

    ``policy`` None takes the largest shipped one that this machine supports. ``price`` is
    ``IN,OUT`` in US dollars for a million tokens, of ``model``. ``roles`` are (role, model): who answers
    its requests in place of ``model``. ``vision`` says whether the model is shown
    pictures; None: what litellm knows of it. ``engine`` are the engines that are searched for papers,
    ``openalex,arxiv`` or ``all``. ``data`` is a folder of staged data sets. ``max_gpu_time`` is in seconds.
    ``ideas_file`` is a list whose ideas are pursued, the first ``ideas`` of them, or those that ``only`` names
    (``3,7``), or all; without one, so many are proposed, or one. Without ``novelty`` none is judged for it. ``open_ended``: each is
    pursued before the next one is proposed, and its score is told. What it does ``leave_out`` is made if it is
    asked for later. ``parallel`` ideas are in flight; None:
    :func:`orchestrator.api.parallel.ideas_in_flight`. ``gpus`` are the machine's that it may use:
    :func:`orchestrator.sandbox.gpus.choice.gpu_choice`.
    ``fresh`` measures the baseline in this run, even if one is kept. ``sign`` is the key that signs
    the record. ``effort`` is how much models are to think: ``medium,reviewing=high``; None: as their vendors have it.
    """

    template: str
    model: str = SWEEP
    ideas: int | None = None
    scale: str = "full"
    policy: str | None = None
    data: Path | None = None
    max_usd: float | None = None
    max_gpu_time: float | None = None
    price: str | None = None
    roles: tuple[tuple[str, str], ...] = ()
    reviewing: ReviewPin = field(default_factory=ReviewPin)
    ideas_file: Path | None = None
    only: str = ""
    novelty: bool = True
    open_ended: bool = False
    leave_out: LeaveOut = ""
    parallel: int | None = None
    gpus: str = "all"
    vision: bool | None = None
    engine: str = "none"
    fresh: bool = False
    sign: Signer | None = None
    results: Path = RESULTS
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A set-up without its images; why its policy was chosen if the request names none, and a line for
    each of its models that ends soon.
    """

    setup: RunSpec
    why_policy: str
    model_ends: tuple[str, ...] = ()


def open_author(
    name: str,
    *,
    environ: Mapping[str, str],
    prices: Mapping[str, float] | None = None,
    retry: RetryPolicy | None = None,
    timing: RetryTiming | None = None,
) -> LanguageModel:
    """The author of that name, ready: ``builtin/sweep``, a scripted one, or a language model.

    No request is made. The other parameters are as in :func:`open_model`.

    Raises:
        UnknownName: neither we nor litellm know the name.
        MissingKey: the vendor wants a key that ``environ`` does not hold.
        BadFile: a file of scripted replies cannot be read.
        BadPolicy: a ceiling of this machine forbids the model.
    """
    if name == SWEEP:
        return SweepModel()
    if name.startswith("builtin/"):
        todo = nearest(name, (SWEEP,))
        raise UnknownName(f"no author is named {name!r}", where="--model", todo=todo)
    model = open_model(name, environ=environ, prices=prices, retry=retry, timing=timing)
    require_below_ceilings(model, name)
    return model


def open_unasked(name: str, *, environ: Mapping[str, str]) -> LanguageModel:
    """The author of that name, to be looked at only: its vendor's key may be missing."""
    if is_free(name):
        return open_author(name, environ=environ)
    return LitellmModel(name, environ, RetryPolicy(), RetryTiming())


def prepare(request: RunRequest, *, to_start: bool = True) -> Prepared:
    """The set-up. If it is not ``to_start``, keys, prices and declared data may be missing, and no end of a
    model is told.

    Raises :class:`UserError` and its children for what the request gets wrong.
    """
    opened = open_author if to_start else open_unasked
    if to_start:
        require_writable(request.results)
    given = given_ideas(
        request.ideas_file, only=request.only, count=request.ideas, open_ended=request.open_ended
    )
    require_reviewed(request.leave_out, request.reviewing)
    effort = parse_effort(request.effort)
    engines = [(one, server_of(one, os.environ)) for one in chosen_engines(request.engine)]
    # Before a model is opened: that may import litellm.
    prices = stated_price(request.price, request.model)
    template = load_template(request.template, shipped_root())
    template.scale(request.scale)
    chosen = chosen_policy(request.policy, request.results, template)
    policy = chosen.policy
    require_contract(template, own_image=has_own_image(policy))
    proofs = ProofStore(request.results, policy.name, policy.hash)  # before a budget is lowered
    policy = with_less(policy, request.max_usd, request.max_gpu_time)
    model = opened(request.model, environ=os.environ)
    setup = RunSpec(
        template=template,
        policy=policy,
        model=request.model,
        author=model.name,
        scale=request.scale,
        ideas=len(given) or request.ideas or 1,
        images=(),
        prices=prices_of(model, prices) if to_start else _known_prices(model, prices),
        sees=shows_pictures(model, asked=request.vision),
        server=server_of_model(model),
        data=data_for(template, request.scale, policy, request.data) if to_start else (),
        proof=proofs.pin(),
        engines=tuple(EnginePin(name=name, server=server) for name, server in engines),
        roles=_roles(request, to_start=to_start),
        reviewing=request.reviewing,
        given=given,
        novelty=request.novelty,
        open_ended=request.open_ended,
        leave_out=request.leave_out,
        ceilings=held_below(policy),
        effort=effort,
    )
    require_allowed_models(setup)
    require_time(template, policy, request.scale)
    names = (request.model, *(name for _, name in request.roles)) if to_start else ()
    return Prepared(setup, chosen.why, _ends(names))


def _ends(names: Iterable[str]) -> tuple[str, ...]:
    """What a person is told of those models that end soon."""
    today = datetime.now(UTC).date()
    opened = [open_author(name, environ=os.environ) for name in dict.fromkeys(names)]
    models = [one for one in opened if isinstance(one, LitellmModel)]
    return tuple(filter(None, (end_notice(one.name, one.facts, today) for one in models)))


def _known_prices(
    model: LanguageModel, given: Mapping[str, float]
) -> tuple[tuple[str, float], ...]:
    """The given prices, or litellm's; empty where it has none."""
    listed = model.prices() if isinstance(model, LitellmModel) else {}
    return tuple(sorted((given or listed).items()))


def _roles(request: RunRequest, *, to_start: bool) -> tuple[ModelPin, ...]:
    """The models of single roles, ready to be pinned. Raises :class:`UserError`."""
    pins = {}
    for role, name in request.roles:
        if role not in ROLES:
            raise UserError(
                f"no role is named {role[:40]!r}",
                where=f"--role {role[:40]}={name[:80]}",
                why=f"the roles are: {', '.join(ROLES)}",
                todo=nearest(role, tuple(ROLES)),
            )
        model = (open_author if to_start else open_unasked)(name, environ=os.environ)
        seen, stated = shows_pictures(model, asked=None), stated_price(None, name)
        prices = prices_of(model, stated) if to_start else _known_prices(model, stated)
        pins[role] = ModelPin(
            name=name,
            author=model.name,
            role=role,
            prices=prices,
            sees=seen,
            server=server_of_model(model),
        )
    return tuple(pins.values())


def shows_pictures(model: LanguageModel, *, asked: bool | None) -> bool:
    """Whether the model is shown pictures. Raises :class:`UserError` for one that asks nothing."""
    if asked and model.name == SWEEP:
        raise UserError(
            f"{SWEEP} is a program and looks at nothing",
            where="--vision",
            todo="leave --vision out, or choose a language model with --model",
        )
    return asked if asked is not None else isinstance(model, LitellmModel) and model.sees
