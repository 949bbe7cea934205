"""The real adapters of a run: this machine's model, editor, sandbox and library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from orchestrator.api import cached_baseline
from orchestrator.api.author import open_author
from orchestrator.api.data import same_data
from orchestrator.core.files import shipped_root
from orchestrator.editor.aider import ContainerEditor, ProcessEditor
from orchestrator.literature.local import LocalLibrary
from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.ports import Edges
from orchestrator.research.run_spec import RunSpec
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.resources import OnEvent, SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.template.manifest import StagedData

LIBRARY = "library.json"


def pool_for(
    policy: Policy,
    engine: Engine,
    run_id: str,
    *,
    images: Iterable[tuple[str, str]],
    data: Iterable[StagedData] = (),
    on_event: OnEvent | None = None,
) -> SandboxPool:
    """What the sandboxes of one run under ``policy`` share. Close it, or use it in ``with``."""
    return SandboxPool(
        engine,
        run_id,
        dict(images).__getitem__,
        policy=policy.hash,
        on_event=on_event,
        admission=Admission(policy.run),
        folders={staged.hash: staged.folder for staged in data}.__getitem__,
    )


@contextmanager
def real_edges(
    setup: RunSpec, engine: Engine, run_id: str, on_event: OnEvent | None = None
) -> Iterator[Callable[[BlobStore], Edges]]:
    """Edges over a blob store. ``on_event`` receives what each sandbox reports of its jobs.

    Raises:
        UserError: a fork's policy gives no data, or a data set is not what the run began with.
    """
    same_data(setup.data, setup.policy)
    model = open_author(setup.model, environ=os.environ, prices=dict(setup.prices))
    library = LocalLibrary.from_bytes(setup.template.files.get(LIBRARY, b"[]"), LIBRARY)
    worker = shipped_root() / "sandbox" / "editor" / "worker.py"
    pool = pool_for(
        setup.policy, engine, run_id, images=setup.images, data=setup.data, on_event=on_event
    )
    with pool:

        def over(blobs: BlobStore) -> Edges:
            sandbox = DockerSandbox(pool, blobs)
            on_host = setup.policy.editor_on_host
            editor = ProcessEditor(blobs, worker) if on_host else ContainerEditor(sandbox.open)
            return Edges(
                model, editor, cached_baseline.with_kept_baseline(setup, blobs, sandbox), library
            )

        yield over
