"""Joining edges to the core: what a command asked for becomes a set-up and real edges.

Everything that a person can get wrong is found here, before a folder is made or a cent spent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator import ImageStale, UserError
from orchestrator.api import cached_baseline as starting
from orchestrator.editor.aider import ContainerEditor, ProcessEditor
from orchestrator.literature.local import LocalLibrary
from orchestrator.machine import datasets
from orchestrator.machine.measure import measure
from orchestrator.models.litellm import open_model
from orchestrator.models.prices import prices_of
from orchestrator.policy.check import check, check_machine, refuse
from orchestrator.policy.policy import Policy, load, lowered
from orchestrator.proof.store import Shelf
from orchestrator.record.blobs import BlobStore
from orchestrator.record.paths import shipped_root
from orchestrator.record.ports import Edges
from orchestrator.records import ContainerKind
from orchestrator.research.run import Setup
from orchestrator.sandbox.admission import Allowance
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.gpus.leases import Driver
from orchestrator.sandbox.images.derived import resolve_for
from orchestrator.sandbox.images.images import resolve
from orchestrator.sandbox.job.verify import check_possible
from orchestrator.sandbox.resources import socket_of
from orchestrator.sandbox.sandbox import DockerSandbox, OnEvent
from orchestrator.template.contract import require
from orchestrator.template.manifest import StagedData
from orchestrator.template.template import Template, shipped
from orchestrator.template.template import load as load_template

KINDS: tuple[ContainerKind, ...] = ("experiment", "latex", "editor")
LIBRARY = "library.json"
STORAGE = "aisci-storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What ``aisci run`` was asked for, as it was written."""

    template: str
    model: str
    ideas: int
    scale: str
    policy: str
    data: Path | None
    max_usd: float | None
    results: Path
    price: str | None = None
    fresh: bool = False  # measure the baseline in this run, whatever is kept


def prepare(wanted: Wanted) -> Setup:
    """A set-up but for its images; raises :class:`UserError` and its children."""
    template = load_template(wanted.template, shipped_root())
    require(template)
    template.scale(wanted.scale)
    policy = usable_policy(wanted.policy, wanted.results)
    require_gpu(template, policy)
    proof = Shelf(wanted.results, policy.name, policy.hash).pin()  # before a budget is lowered
    if wanted.max_usd is not None:
        budgets = {"idea.budget.usd": min(wanted.max_usd, policy.idea.usd)}
        policy = lowered(policy, budgets | {"run.budget.usd": wanted.max_usd})
    model = open_model(wanted.model, environ=os.environ)
    prices = prices_of(model, wanted.price)
    return Setup(
        template=template,
        policy=policy,
        model=wanted.model,
        author=model.name,
        scale=wanted.scale,
        ideas=wanted.ideas,
        images=(),
        prices=prices,
        data=data_for(template, wanted.scale, policy, wanted.data),
        proof=proof,
    )


def usable_policy(name: str, results: Path) -> Policy:
    """The policy, checked for itself and against this machine."""
    policy = load(name, shipped_root() / "policies")
    refuse(policy.name, check(policy))
    fits(policy, results)
    return policy


def require_gpu(template: Template, policy: Policy) -> None:
    """Raise :class:`UserError` where a template that cannot do without a GPU would get none."""
    if template.manifest.gpu == "required" and not policy.limits("experiment").gpus:
        raise UserError(
            f"the template {template.name} needs a GPU, and the policy {policy.name!r} gives none",
            where=f"{template.origin}/template.yaml: gpu; the policy's experiment.gpus.count is 0",
            todo="use a policy that lends one, such as `default`",
        )


def fits(policy: Policy, results: Path) -> None:
    """Raise :class:`BadPolicy` where a limit is above what this machine has."""
    there = next(path for path in (results, *results.absolute().parents) if path.is_dir())
    gpus = len(Driver().devices()) if policy.limits("experiment").gpus else None
    refuse(policy.name, check_machine(policy, measure(there, gpus=gpus)))


def resolve_images(
    policy: Policy, engine: Engine, template: Template | None = None
) -> tuple[tuple[str, str], ...]:
    """(name, id) of the image of each kind of container, and of the trusted helper's.

    A template that needs packages has an image of its own, under the name that the policy gives.

    Raises:
        ControlUnavailable: this engine cannot hold the policy; known before anything is paid.
        ImageMissing, ImageStale: one is to be built.
    """
    socket_of(engine)
    found = {STORAGE: resolve(engine, STORAGE)}
    for kind in KINDS:
        limits = policy.limits(kind)
        if kind == "editor" and policy.editor_on_host:
            continue
        check_possible(engine, limits)
        flavour: Literal["cpu", "cuda"] = "cuda" if limits.gpus else "cpu"
        if kind == "experiment" and template is not None:
            found[limits.image] = resolve_for(engine, template, limits.image, flavour)
        else:
            found[limits.image] = resolve(engine, limits.image, flavour=flavour)
    return tuple(sorted(found.items()))


def same_images(setup: Setup, engine: Engine) -> None:
    """Raise :class:`ImageStale` where an image is no longer the one that the run began with."""
    for name, image in resolve_images(setup.policy, engine, setup.template):
        pinned = dict(setup.images).get(name)
        if pinned != image:
            raise ImageStale(
                f"the image {name} is not the one that this run began with",
                where=f"recorded {pinned}, now {image}",
                todo="`aisci resume --fork` goes on with the present one, and says so",
            )


def data_for(
    template: Template, scale: str, policy: Policy, extra: Path | None = None
) -> tuple[StagedData, ...]:
    """What a run at ``scale`` finds below ``/data``: the sets that it needs, and a person's own.

    Every file is read and compared with its hash. ``extra`` is a folder whose sub-folders are
    data sets of the person's.

    Raises:
        UserError: the policy gives no data; a set is not staged; ``extra`` holds none.
        DataFailed: a staged set was changed.
    """
    needed = template.manifest.needed(scale)
    if needed:
        _may_have_data(policy, f"the scale {scale} of {template.name}, which needs data")
    declared = {data.name for data in template.manifest.data if data.source == "download"}
    own = staged(extra, policy)
    for one in own:
        if one.name in declared:
            raise UserError(
                f"the template declares the data set {one.name!r} itself",
                where=f"--data {extra}",
                todo=f"aisci data prepare {template.argument} --only {one.name} --from FILE",
            )
    return (*(datasets.verify(data, template.argument) for data in needed), *own)


def staged(folder: Path | None, policy: Policy) -> tuple[StagedData, ...]:
    """Each sub-folder of ``folder`` as a data set, by the hash of its content."""
    if folder is None:
        return ()
    _may_have_data(policy, f"--data {folder}")
    if not folder.is_dir():
        raise UserError("no such folder of data sets", where=f"--data {folder}")
    sets = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    if not sets:
        raise UserError(
            "the folder holds no data set",
            where=f"--data {folder}",
            todo="put each data set into a sub-folder; it is mounted as /data/<its name>",
        )
    return tuple(
        StagedData(path.name, datasets.content_of(path), str(path.resolve())) for path in sets
    )


def same_data(data: tuple[StagedData, ...]) -> None:
    """Raise :class:`UserError` where a data set is not there any more, or not the same."""
    for one in data:
        folder = Path(one.folder)
        if not folder.is_dir() or datasets.content_of(folder) != one.hash:
            raise UserError(
                f"the data set {one.name!r} is not the one that this run began with",
                where=one.folder,
                why="it was changed" if folder.is_dir() else "it is not there",
                todo="put it back as it was: a run is not gone on with over other data",
            )


def _may_have_data(policy: Policy, asked: str) -> None:
    if policy.whole.experiment.data == "none":
        raise UserError(
            f"the policy {policy.name!r} gives experiments no data",
            where=f"{asked}; the policy's experiment.data is none",
            todo="leave --data out, or use a policy with `data: read-only`",
        )


def present_template(name: str, origin: str) -> Template | None:
    """The template that a record names, as it is now; None where it is not here any more."""
    root = shipped_root()
    if origin == f"templates/{name}" and name in shipped(root):
        return load_template(name, root)
    return load_template(f"{origin}/", root) if Path(origin).is_dir() else None


@contextmanager
def real_edges(
    setup: Setup, engine: Engine, run_id: str, on_event: OnEvent | None = None
) -> Iterator[Callable[[BlobStore], Edges]]:
    """Edges over a blob store: this machine's model, editor, engine and library.

    ``on_event`` is told of each job as the sandbox tells it.

    Raises :class:`UserError` where a fork's policy gives none of the data that the run began
    with, or that is not what it was.
    """
    if setup.data:
        _may_have_data(setup.policy, "the data sets that the run began with")
        same_data(setup.data)
    model = open_model(setup.model, environ=os.environ, prices=dict(setup.prices))
    library = LocalLibrary.from_bytes(setup.template.files.get(LIBRARY, b"[]"), LIBRARY)
    worker = shipped_root() / "sandbox" / "editor" / "worker.py"
    images = dict(setup.images)
    store = BlobStore(Path(os.devnull))  # each idea keeps in its own: see keeping_in
    folders = {one.hash: one.folder for one in setup.data}
    with DockerSandbox(
        engine,
        store,
        run_id,
        images.__getitem__,
        on_event,
        allowance=Allowance(setup.policy.run),
        folders=folders.__getitem__,
    ) as shared:

        def over(blobs: BlobStore) -> Edges:
            sandbox = shared.keeping_in(blobs)
            on_host = setup.policy.editor_on_host
            inside = ContainerEditor(sandbox.open, setup.policy.hash)
            editor = ProcessEditor(blobs, worker) if on_host else inside
            return Edges(model, editor, starting.over(setup, blobs, sandbox), library)

        yield over
