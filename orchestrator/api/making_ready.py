"""All that a run does before its first question, and no run: data, images, containers, baseline, models.

What is missing is made: data sets are staged, images built, the baseline measured and kept. A run of the same
request then begins with its ideas.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.api.adapters import pool_for
from orchestrator.api.allowed_models import is_free
from orchestrator.api.baselines import BaselineOutcome, kept_or_measured
from orchestrator.api.images import built_images
from orchestrator.api.model_check import ModelCheck, check_model
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.api.servers import require_servers
from orchestrator.api.staging import Following, stage_data
from orchestrator.api.template_run import TrialListener
from orchestrator.record.blobs import BlobStore
from orchestrator.research.preflight import rehearse
from orchestrator.research.run_spec import RunSpec
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.sandbox import DockerSandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyRun:
    """What is ready now: the set-up with its images, the data sets that were staged just now, whether images were
    built, the baseline, and what is known of each model that answers.
    """

    setup: RunSpec
    staged: tuple[str, ...]
    built: bool
    baseline: BaselineOutcome
    models: tuple[ModelCheck, ...]


def make_run_ready(
    request: RunRequest, live: TrialListener, say: Callable[[str], None], following: Following
) -> ReadyRun:
    """Make ready what ``request`` needs, and start nothing.

    Raises:
        UserError: the request is wrong; nothing was made.
        AisciError: something cannot be made ready: what, and what to do about it.
    """
    first = prepare(request, to_start=False).setup
    staged: tuple[str, ...] = ()
    if first.template.manifest.needed(first.scale):
        say("data sets")
        staged = tuple(one.name for one in stage_data(request.template, following).new)
    setup = prepare(request).setup
    require_servers(setup)
    engine = connect()
    say("images")
    images, built = built_images(setup.policy, engine, setup.template, say)
    setup = replace(setup, images=images)
    say("a container of each kind")
    _rehearse(setup, engine, live)
    baseline = kept_or_measured(
        setup.template, setup.policy, scale=setup.scale, listener=live, again=request.fresh, data=request.data
    )  # fmt: skip
    names = dict.fromkeys((setup.model, *(pin.name for pin in setup.roles)))
    models = tuple(check_model(name, offline=True) for name in names if not is_free(name))
    return ReadyRun(setup=setup, staged=staged, built=built, baseline=baseline, models=models)


def _rehearse(setup: RunSpec, engine: Engine, live: TrialListener) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="aisci-prepare-") as folder,
        pool_for(
            setup.policy, engine, f"prepare-{setup.template.name}", images=setup.images,
            data=setup.data, on_event=live,
        ) as pool,
    ):  # fmt: skip
        rehearse(setup, DockerSandbox(pool, BlobStore(Path(folder))))
