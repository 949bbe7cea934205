"""What a reader sees of a PDF: ``seen.py`` of the LaTeX image says it, and is checked here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from orchestrator.core.errors import BadFile
from orchestrator.core.job import Job, JobResult, Limits
from orchestrator.core.protocols import Blobs
from orchestrator.core.seen import HIDDEN_KINDS, HiddenText, SeenPage, SeenPaper
from orchestrator.core.strict_json import loads
from orchestrator.core.tree import Tree

MOST_PAGES = 20  # that are read
SEEN_FILE = "seen.json"
_BYTES = 4 << 20  # of an answer
_AT_A_TIME = 10  # pages: what one container reads within the limits of the policies
_OUT = "out"
_PDF = "paper.pdf"


def _kind(name: str) -> str:
    if name not in HIDDEN_KINDS:
        raise ValueError("this is no way to hide text")
    return name


_Point = Annotated[float, Field(ge=-1e9, le=1e9)]


class _Hidden(BaseModel, extra="forbid", frozen=True):
    kind: Annotated[str, AfterValidator(_kind)]
    text: Annotated[str, Field(max_length=300)]
    box: tuple[_Point, _Point, _Point, _Point]


class _Page(BaseModel, extra="forbid", frozen=True):
    """One page; its texts are untrusted data."""

    text: Annotated[str, Field(max_length=20_000)]
    ocr: bool
    hidden: Annotated[tuple[_Hidden, ...], Field(max_length=30)]
    more: Annotated[int, Field(ge=0, le=1_000_000)]


class SeenAnswer(BaseModel, extra="forbid", frozen=True):
    """The container's answer about some pages of ``of``; ``refused`` says why there are none."""

    refused: Annotated[str, Field(max_length=300)]
    of: Annotated[int, Field(ge=0, le=100_000_000)]
    pages: Annotated[tuple[_Page, ...], Field(max_length=MOST_PAGES)]

    def hidden(self, first: int = 1) -> tuple[HiddenText, ...]:
        """What no reader sees, where the first of these pages has the number ``first``."""
        return tuple(
            HiddenText(kind=one.kind, text=one.text, page=number, box=one.box)
            for number, page in enumerate(self.pages, start=first)
            for one in page.hidden
        )


def seen_answer(result: JobResult, path: str, blobs: Blobs) -> tuple[SeenAnswer | None, str]:
    """The answer that a container left at ``path``, or None and why there is none."""
    sha256 = result.files.get(path) if result.ok else None
    if sha256 is None:
        return None, f"its reader ended as: {result.verdict}"
    if blobs.size(sha256) > _BYTES:
        return None, "its reader's answer is too long"
    try:
        answer = SeenAnswer.model_validate(loads(blobs.get(sha256)))
    except (ValueError, ValidationError):
        return None, "its reader's answer cannot be read"
    if answer.refused or not answer.pages:
        return None, answer.refused or "its reader read no page"
    return answer, ""


def seen_paper(
    run: Callable[[Job], JobResult], blobs: Blobs, sha256: str, limits: Limits, scope: str
) -> SeenPaper:
    """The PDF with this hash, as a reader sees it: its first ``MOST_PAGES`` pages.

    ``run`` is asked for a job for each ten pages, below ``scope``; ``blobs`` is where it leaves its files.

    Raises:
        BadFile: it is encrypted, broken, has no page or too many, or its reader gave no answer.
    """
    pages: list[SeenPage] = []
    hidden: list[HiddenText] = []
    count, more = 1, 0
    while len(pages) < min(count, MOST_PAGES):
        first = len(pages) + 1
        result = run(_job(f"{scope}/pages_{first}", sha256, first, limits))
        answer, why = seen_answer(result, f"{_OUT}/{SEEN_FILE}", blobs)
        if answer is None or len(pages) + len(answer.pages) > MOST_PAGES:
            raise BadFile(
                "this PDF cannot be read",
                where=scope,
                why=why or "its reader's answer has too many pages",
                todo="name a PDF that opens in a viewer without a password",
            )
        for number, page in enumerate(answer.pages, start=first):
            picture = result.files.get(f"{_OUT}/page-{number}.png") or ""
            pages.append(SeenPage(text=page.text, by_ocr=page.ocr, picture=picture))
            more += page.more
        hidden += answer.hidden(first)
        count = answer.of
    return SeenPaper(pages=tuple(pages), hidden=tuple(hidden), count=count, more=more)


def _job(scope: str, sha256: str, first: int, limits: Limits) -> Job:
    last = min(first + _AT_A_TIME - 1, MOST_PAGES)
    script = "/opt/aisci/latex/seen.py"
    return Job(
        scope=scope,
        kind="latex",
        argv=("python3", script, _PDF, _OUT, str(first), str(last), "pictures"),
        files=Tree.of({_PDF: sha256}),
        limits=limits,
        harvest=(f"{_OUT}/",),
    )
