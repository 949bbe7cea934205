"""Joining edges to the core: what a command asked for becomes a set-up and real edges.

Everything that a person can get wrong is found here, before a folder is made or a cent spent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api import cached_baseline as starting
from orchestrator.api.author import open_author
from orchestrator.api.data import _may_have_data, data_for, same_data
from orchestrator.core.errors import UserError
from orchestrator.core.files import shipped_root
from orchestrator.editor.aider import ContainerEditor, ProcessEditor
from orchestrator.literature.local import LocalLibrary
from orchestrator.machine.measure import measure
from orchestrator.models.prices import prices_of
from orchestrator.policy.check import check, check_machine, refuse
from orchestrator.policy.policy import Policy, load, lowered
from orchestrator.proof.store import Shelf
from orchestrator.record.blobs import BlobStore
from orchestrator.record.ports import Edges
from orchestrator.research.setup import Setup
from orchestrator.sandbox.admission import Allowance
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.gpus.leases import Driver
from orchestrator.sandbox.sandbox import DockerSandbox, OnEvent
from orchestrator.template.contract import require
from orchestrator.template.folder import shipped
from orchestrator.template.template import Template
from orchestrator.template.template import load as load_template

LIBRARY = "library.json"


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
    model = open_author(wanted.model, environ=os.environ)
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
    model = open_author(setup.model, environ=os.environ, prices=dict(setup.prices))
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
