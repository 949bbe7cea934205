"""The real adapters of a run: this machine's model, editor, sandbox and literature."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager

from orchestrator.api.allowed_models import is_free, require_may_ask, server_of_model
from orchestrator.api.data import same_data
from orchestrator.api.prepare import open_author
from orchestrator.core.files import shipped_root
from orchestrator.core.model import FALLBACK, REVIEWING
from orchestrator.core.outlook import Outlook
from orchestrator.core.protocols import Blobs, Editor, LanguageModel, Sandbox
from orchestrator.core.tree import Tree, digest
from orchestrator.editor.aider import ContainerEditor, ProcessEditor
from orchestrator.editor.worker_process import WarmWorkers
from orchestrator.literature.engines.opening import open_sources, own_shelf
from orchestrator.literature.library.local import LocalLibrary
from orchestrator.machine.baseline_cache import CachedBaselineSandbox, find_baseline
from orchestrator.models.batching import BatchingModel, takes_batches
from orchestrator.models.failures import RetryTiming
from orchestrator.models.fallback import PATIENCE, FallbackModel
from orchestrator.models.litellm import LitellmModel
from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.pins import DataPin
from orchestrator.record.ports import Edges
from orchestrator.record.spending import account_meter, account_spending, require_budget_left
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.stages.experiments import baseline_job
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.ahead import Ahead
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.gpus.choice import gpu_choice
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.job.slot import Slot
from orchestrator.sandbox.resources import OnEvent, SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.template.baseline import KeptBaseline, key_of

LIBRARY = "library.json"
WAITING = "model waited for"
"""The event that a busy model is asked again later."""


def pool_for(
    policy: Policy,
    engine: Engine,
    run_id: str,
    *,
    images: Iterable[tuple[str, str]],
    data: Iterable[DataPin] = (),
    on_event: OnEvent | None = None,
    many: bool = False,
    gpus: str = "all",
) -> SandboxPool:
    """What the sandboxes of one run under ``policy`` share. Close it, or use it in ``with``.

    With ``many`` jobs to come, their containers are made ahead. ``gpus`` are those that it may lend.
    """
    outlook, ahead = Outlook(), Ahead[Slot]()
    return SandboxPool(
        engine,
        run_id,
        dict(images).__getitem__,
        policy=policy.hash,
        on_event=on_event,
        admission=Admission(policy.run, work_left=outlook.work_left, spare=ahead.drop),
        folders={staged.hash: staged.folder for staged in data}.__getitem__,
        outlook=outlook,
        ahead=ahead if many else None,
        gpus=GpuPool(work_left=outlook.work_left, choice=gpu_choice(gpus)),
    )


def require_month_left(setup: RunSpec) -> None:
    """Raise :class:`BudgetSpent` where the machine's budget of the month has nothing left that the run needs."""
    models = (setup.model, *(pin.name for pin in setup.roles))
    gpus = bool(setup.policy.limits("experiment").gpus)
    require_budget_left(gpus=gpus, paid=not all(map(is_free, models)))


@contextmanager
def real_edges(
    setup: RunSpec,
    engine: Engine,
    run_id: str,
    on_event: OnEvent | None = None,
    *,
    gpus: str = "all",
) -> Iterator[Callable[[BlobStore], Edges]]:
    """Edges over a blob store. ``on_event`` receives what each sandbox reports of its jobs, and
    a line as ``WAITING`` each time that a model is waited for.

    Raises:
        UserError: a fork's policy gives no data, or a data set is not what the run began with.
    """
    same_data(setup.data, setup.policy)
    model, roles = _models(setup, on_event)
    month = account_spending()
    meter = account_meter()
    library = LocalLibrary.from_bytes(setup.template.files.get(LIBRARY, b"[]"), LIBRARY)
    engines = [(one.name, one.server) for one in setup.engines]
    shelves = [("template", library), *own_shelf()]
    literature = open_sources(engines, os.environ, shelves)
    worker = shipped_root() / "sandbox" / "editor" / "worker.py"
    pool = pool_for(
        setup.policy, engine, run_id, images=setup.images, data=setup.data, on_event=on_event,
        many=True, gpus=gpus,
    )  # fmt: skip
    warm = WarmWorkers(worker)
    with pool, closing(warm):

        def over(blobs: BlobStore) -> Edges:
            sandbox = DockerSandbox(pool, blobs)
            editor: Editor = ContainerEditor(sandbox.open, blobs)
            if setup.policy.editor_on_host:
                editor = ProcessEditor(blobs, worker, warm)
                warm.want()
            before = _before(meter(sandbox), setup, blobs)
            named = {role: with_pictures(one, blobs) for role, one in roles.items()}
            author = with_pictures(model, blobs)
            return Edges(author, editor, before, literature, named, month, pool.outlook)

        yield over


def _models(
    setup: RunSpec, on_event: OnEvent | None
) -> tuple[LanguageModel, dict[str, LanguageModel]]:
    """The run's model and those of single roles, each with the fallback behind it where there is one."""

    def tell(line: str) -> None:
        if on_event:
            on_event(WAITING, {"text": line})

    waiting = RetryTiming(tell=tell)
    pins = {pin.role: pin for pin in setup.roles}
    behind = pins.pop(FALLBACK, None)
    retry = PATIENCE if behind else None

    def opened(name: str, prices: Mapping[str, float]) -> LanguageModel:
        first = open_author(name, environ=os.environ, prices=prices, retry=retry, timing=waiting)
        require_may_ask(setup.policy, name, server_of_model(first))
        if behind is None or behind.name == name:
            return first
        second = open_author(
            behind.name, environ=os.environ, prices=dict(behind.prices), timing=waiting
        )
        require_may_ask(setup.policy, behind.name, server_of_model(second))
        return FallbackModel(first, second, tell)

    roles = {role: opened(pin.name, dict(pin.prices)) for role, pin in pins.items()}
    model = opened(setup.model, dict(setup.prices))
    if setup.reviewing.batch:
        reviewer = roles.get(REVIEWING, model)
        if isinstance(reviewer, LitellmModel) and takes_batches(reviewer):
            roles[REVIEWING] = BatchingModel(
                reviewer, os.environ, waiting, cancels=setup.reviewing.batch == "cancel"
            )
        else:
            tell(f"{reviewer.name} takes no batches here: its reviews are asked for one by one")
    return model, roles


def with_pictures(model: LanguageModel, blobs: BlobStore) -> LanguageModel:
    """The model, with the pictures of its requests read from ``blobs``."""
    readers = LitellmModel | FallbackModel | BatchingModel
    return model.reading(blobs.get) if isinstance(model, readers) else model


def _before(real: Sandbox, setup: RunSpec, blobs: Blobs) -> Sandbox:
    """``real``, and in front of it the baseline that the run's pins name, if it is still kept."""
    key = setup.baseline.key if setup.baseline else ""
    kept = find_baseline(setup.template.name, setup.scale, key) if key else None
    return CachedBaselineSandbox(kept, blobs, real) if kept else real


def kept_for(setup: RunSpec) -> KeptBaseline | None:
    """The kept baseline whose job equals the one of ``setup``, or None."""
    template = setup.template
    files = Tree.of({path: digest(data) for path, data in template.files.items()})
    job = baseline_job(template, setup.policy, setup.scale, files, scope="", data=setup.mounts)
    key = key_of(job, dict(setup.images)[job.limits.image], setup.policy.hash)
    return find_baseline(template.name, setup.scale, key)
