"""``aisci import``: what was read of a results folder, what is missing, and what can be done next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.api.importing import ImportOutcome, ImportRequest, import_results
from orchestrator.console import output as out
from orchestrator.console.output import counted
from orchestrator.core.sanitize import plain_line
from orchestrator.record.heard import Heard, Notice

_MOST = 8  # rows of one kind on the screen


def import_folder(request: ImportRequest, *, as_json: bool) -> int:
    """Import a folder and print what came of it; the exit code."""
    with out.trying(f"import of {request.folder.name} …") as say:

        def tell(event: Heard) -> None:
            if isinstance(event, Notice):
                say(event.text)

        done = import_results(request, tell)
    if as_json:
        out.as_json({"imported": _facts(done)})
    else:
        out.say("\n".join(_lines(done)))
    return int(done.idea.status == "failed")


def _facts(done: ImportOutcome) -> dict[str, object]:
    return {
        "run": str(done.folder),
        "idea": str(done.idea.folder),
        "title": done.content.idea.title,
        "idea_from": done.content.idea_from,
        "runs": [run.number for run in done.content.runs],
        "figures": [one.name for one in done.content.figures],
        "sections": [name for name, _ in done.content.paper.sections] if done.content.paper else [],
        "paper": _paper(done),
        "reviews": len(done.content.reviews),
        "unresolved": done.unresolved,
        "missing": [list(row) for row in done.content.missing],
        "left_out": [list(row) for row in done.left_out],
        "left_out_more": done.more,
        "failure": done.idea.failure.what if done.idea.failure else None,
        "next": _next(done),
    }


def _paper(done: ImportOutcome) -> str:
    if done.idea.paper is None:
        return "none"
    return "compiled" if done.compiled else "the PDF as it came"


def _next(done: ImportOutcome) -> list[str]:
    """The commands that this study is ready for."""
    idea, paper = done.idea.folder, done.idea.paper is not None
    commands = [f"aisci review {idea}"] if paper else []
    commands += [f"aisci improve {idea}"] if done.compiled else []
    commands += [f"aisci slides {idea}"] if paper else []
    return commands + ([f"aisci writeup {idea}"] if done.content.paper else [])


def _lines(done: ImportOutcome) -> Iterator[str]:
    content = done.content
    yield f"{done.idea.folder}: {plain_line(content.idea.title)}"
    yield f"  idea      from {content.idea_from}"
    yield f"  runs      {counted(len(content.runs), 'run')} with results, the baseline included"
    shown = ", ".join(one.name for one in content.figures[:_MOST]) or "none"
    yield f"  figures   {plain_line(shown, limit=300)}"
    yield f"  paper     {_said(done)}"
    marks = ", ".join(str(one.overall) for one in content.reviews)
    yield f"  reviews   {len(content.reviews)}" + (f", overall {marks} of 10" if marks else "")
    yield "  aisci did not measure these results: report and audit say so"
    named = {name for name, _ in done.left_out}  # with the reason; it is not also missing
    yield from _listed("missing", [row for row in content.missing if row[0] not in named])
    yield from _listed("left out", done.left_out, done.more)
    if done.idea.failure is not None and not done.unresolved:
        failure = done.idea.failure
        yield f"the stage {failure.stage} failed: {failure.what}\n  do: {failure.todo}"
    yield from ["next:", *(f"  {one}" for one in _next(done))] if _next(done) else []


def _said(done: ImportOutcome) -> str:
    paper = _paper(done)
    if paper == "compiled" and done.content.paper is not None:
        kept = ", ".join(done.content.paper.kept)
        said = f"compiled from its source, {counted(len(done.content.paper.sections), 'section')}"
        said += f"; {counted(done.unresolved, 'statement')} without a result" * bool(
            done.unresolved
        )
        return said + (f"; left as they are: {plain_line(kept)}" if kept else "")
    return plain_line("; ".join([paper, *done.warnings[:1]]), limit=400)


def _listed(head: str, rows: Sequence[tuple[str, str]], more: int = 0) -> Iterator[str]:
    if rows:
        yield f"{head}:"
    yield from (f"  {plain_line(f'{name}: {why}', limit=200)}" for name, why in rows[:_MOST])
    if rest := len(rows[_MOST:]) + more:
        yield f"  and {rest} more, which the report lists"
