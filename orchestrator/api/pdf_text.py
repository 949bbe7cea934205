"""Papers from PDF files: a container reads their text, since a PDF is a program of a stranger's."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from orchestrator.api.adapters import pool_for
from orchestrator.api.images import resolve_images
from orchestrator.api.policies import named_policy
from orchestrator.api.prepare import RESULTS
from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import BadFile
from orchestrator.core.files import slug
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import PaperRef
from orchestrator.core.strict_json import loads
from orchestrator.core.tree import Tree
from orchestrator.core.untrusted import NotPlain, read_plain
from orchestrator.literature.paper_door import line, received
from orchestrator.literature.paper_ids import identify
from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.sandbox import DockerSandbox

_MOST_BYTES = 64 << 20  # of a PDF
_TEXT_BYTES = 4 << 20  # of its text as JSON
_OUT = "out"
_STAMPED = re.compile(r"\barXiv:\S{1,30}\s+\[[\w.-]{1,20}\]\s+\d{1,2}\s+\w{3}\s+(\d{4})")
_NO_TITLE = re.compile(r"^(?:untitled|microsoft word|.*\.(?:dvi|docx?|tex|pdf)$)", re.IGNORECASE)


class _PdfText(BaseModel, extra="forbid", frozen=True):
    """What the container wrote; its texts are untrusted data."""

    title: Annotated[str, Field(max_length=600)]
    author: Annotated[str, Field(max_length=600)]
    pages: Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=60)]


def pdf_papers(
    paths: Sequence[Path], say: Callable[[str], None], policy: str | None = None
) -> list[tuple[PaperRef, str]]:
    """(paper, text) of each file. Raises :class:`BadFile` for a file that is no PDF or has no text."""
    contents = {path: pdf_bytes(path) for path in paths}
    chosen = named_policy(policy, RESULTS).policy
    engine = connect()
    images = resolve_images(chosen, engine, None, ("latex",))
    with tempfile.TemporaryDirectory(prefix="aisci-pdf-") as folder:
        store = BlobStore(Path(folder))
        with pool_for(chosen, engine, "library-pdf", images=images) as pool:
            sandbox = DockerSandbox(pool, store)
            rows = []
            for number, (path, data) in enumerate(contents.items(), start=1):
                say(f"reading {path.name} ({number} of {len(contents)})")
                result = sandbox.run(_job(chosen, store.put(data), number), FOREVER)
                rows.append(_paper(path, _text(path, result, store)))
    return rows


def pdf_bytes(path: Path) -> bytes:
    """The bytes of a PDF of at most 64 MiB. Raises :class:`BadFile` for anything else."""
    if not path.is_file():
        raise BadFile("there is no such file", where=str(path), todo="name a PDF file")
    try:
        data = read_plain(path, _MOST_BYTES)
    except (NotPlain, OSError) as error:
        raise BadFile(
            "this file cannot be read", where=str(path), why=str(error), todo="name a PDF file"
        ) from error
    if not data[:1024].lstrip().startswith(b"%PDF-"):
        raise BadFile(
            "this is not a PDF",
            where=str(path),
            why="it does not begin with %PDF-",
            todo="name a PDF file, or for a library one of papers that ends in .bib or .jsonl",
        )
    return data


def _job(policy: Policy, sha256: str, number: int) -> Job:
    return Job(
        scope=f"library/pdf_{number}",
        kind="latex",
        argv=("python3", "/opt/aisci/latex/text.py", "paper.pdf", _OUT),
        files=Tree.of({"paper.pdf": sha256}),
        limits=policy.limits("latex"),
        harvest=(f"{_OUT}/",),
    )


def _text(path: Path, result: JobResult, store: BlobStore) -> _PdfText:
    sha256 = result.files.get(f"{_OUT}/text.json") if result.ok else None
    why = f"its reader ended as: {result.verdict}"
    if sha256 is not None:
        try:
            read = _PdfText.model_validate(loads(store.get(sha256, _TEXT_BYTES)))
        except (ValueError, ValidationError):
            why = "its reader's answer cannot be read"
        else:
            if any(page.strip() for page in read.pages):
                return read
            why = "no page has text; it may be a scan"
    raise BadFile(
        "this PDF cannot be read",
        where=str(path),
        why=why,
        todo="leave it out, or add its entry as BibTeX",
    )


def _paper(path: Path, read: _PdfText) -> tuple[PaperRef, str]:
    """The record of a PDF: title, ids and year as far as its first page says them."""
    first = next(page for page in read.pages if page.strip())
    doi, arxiv = identify(first)
    stamp = _STAMPED.search(first)  # any other year there may be of a paper that it cites
    found = received(
        source="library",
        title=_title(read, first) or path.stem.replace("_", " "),
        authors=[part for part in re.split(r";| and |,", read.author) if len(part.split()) > 1],
        year=int(stamp[1]) if stamp else None,
        doi=doi,
        arxiv=arxiv,
    )
    assert found is not None  # its title has the file's name at least
    if not found.authors:
        found = replace(found, key=f"pdf_{slug(path.stem)}")
    return found, "\n".join(read.pages)


def _title(read: _PdfText, first: str) -> str:
    said = line(read.title, 300)
    if len(said.split()) > 2 and not _NO_TITLE.match(said):
        return said
    rows = [line(row, 300) for row in first.splitlines()]
    return next((row for row in rows if len(row.split()) > 2 and "arxiv" not in row.lower()), "")
