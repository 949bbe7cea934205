"""A stranger's PDF as a reader sees it: a container reads it, since a PDF is a program."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api.adapters import pool_for
from orchestrator.api.images import resolve_images
from orchestrator.api.pdf_text import pdf_bytes
from orchestrator.api.policies import named_policy
from orchestrator.api.prepare import RESULTS
from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import BadFile
from orchestrator.core.seen import SeenPaper
from orchestrator.record.blobs import BlobStore
from orchestrator.research.paper.seen import seen_paper
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.sandbox import DockerSandbox


def seen_pages(path: Path, blobs: BlobStore, policy: str | None = None) -> SeenPaper:
    """What a reader sees of a PDF's first 20 pages, and the text that hides in them.

    ``blobs`` gets the PDF and the pictures of its pages. The policy's block ``latex`` limits the
    container; it has no network.

    Raises:
        BadFile: there is no such file, it is no PDF, over 64 MiB, encrypted, broken, or has no page or
            over 200.
    """
    data = pdf_bytes(path)
    chosen = named_policy(policy, RESULTS).policy
    engine = connect()
    images = resolve_images(chosen, engine, None, ("latex",))
    with pool_for(chosen, engine, "seen-pages", images=images) as pool:
        sandbox = DockerSandbox(pool, blobs)
        try:
            return seen_paper(
                lambda job: sandbox.run(job, FOREVER),
                blobs,
                blobs.put(data),
                chosen.limits("latex"),
                "paper",
            )
        except BadFile as error:
            raise BadFile(error.what, where=str(path), why=error.why, todo=error.todo) from error
