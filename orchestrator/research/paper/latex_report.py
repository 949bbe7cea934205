"""What the LaTeX container reports of one compilation; every text in it is untrusted data."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from orchestrator.core.job import JobResult
from orchestrator.core.protocols import Blobs
from orchestrator.core.strict_json import loads
from orchestrator.record.paths import LATEX_OUTPUT

_REPORT_BYTES = 512 * 1024
_PAGES_BYTES = 2 * 1024 * 1024

_Line = Annotated[str, Field(max_length=1200)]
_Lines = Annotated[tuple[_Line, ...], Field(max_length=200)]
_Points = Annotated[float, Field(ge=0, le=1e6)]
_Boxes = Annotated[tuple[tuple[_Points, _Line], ...], Field(max_length=200)]


class CompileReport(BaseModel, extra="forbid", frozen=True):
    """The LaTeX container's report of one compilation; its texts are untrusted data."""

    ok: bool
    errors: _Lines
    warnings: _Lines
    undefined: _Lines
    chktex: _Lines
    overfull: _Boxes
    tall: _Boxes = ()  # reports of older images have none
    pages: Annotated[int, Field(ge=0, le=1_000_000)]
    seen: bool = False  # whether seen.json was written; older images write none
    log_tail: Annotated[str, Field(max_length=4000)]


_PAGES: TypeAdapter[tuple[str, ...]] = TypeAdapter(
    Annotated[tuple[Annotated[str, Field(max_length=20_000)], ...], Field(max_length=100)]
)


def read_report(result: JobResult, blobs: Blobs) -> CompileReport:
    """The container's report, or one whose error says why there is none."""
    why = f"LaTeX ended as: {result.verdict}; it left no report"
    sha256 = result.files.get(f"{LATEX_OUTPUT}/report.json") if result.ok else None
    if sha256 is not None:
        data = blobs.get(sha256)
        try:
            if len(data) <= _REPORT_BYTES:
                return CompileReport.model_validate(loads(data))
            why = "the report of the LaTeX container is too long"
        except ValueError as error:
            first = str(error)[:200]
            if isinstance(error, ValidationError):
                first = error.errors(include_url=False, include_input=False)[0]["msg"]
            why = f"the report of the LaTeX container cannot be read: {first}"
    return CompileReport(
        ok=False,
        errors=(why,),
        warnings=(),
        undefined=(),
        chktex=(),
        overfull=(),
        pages=0,
        log_tail=result.stderr[-3000:],
    )


def texts_of_pages(result: JobResult, blobs: Blobs) -> tuple[str, ...]:
    """The text of each page; none where it cannot be read."""
    sha256 = result.files.get(f"{LATEX_OUTPUT}/pages.json")
    data = blobs.get(sha256) if sha256 else b"[]"
    try:
        return _PAGES.validate_json(data) if len(data) <= _PAGES_BYTES else ()
    except ValidationError:
        return ()
