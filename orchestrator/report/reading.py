"""What a report shows of one idea, read from its journal, its run's journal and their blobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter

from orchestrator.core.edit import Edit
from orchestrator.core.errors import BadResults
from orchestrator.core.job import JobResult
from orchestrator.core.model import Usage
from orchestrator.core.research import Claim, Failure, Idea, Novelty, Paper, Review, Run
from orchestrator.core.tree import Tree
from orchestrator.record.journal import Journal
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Results, parse_final_info
from orchestrator.template.template import from_files

_IDEA, _NOVELTY = TypeAdapter(Idea), TypeAdapter(Novelty)
_RUN, _FAILURE, _RESULT = TypeAdapter(Run), TypeAdapter(Failure), TypeAdapter(JobResult)
_EDIT, _USAGE, _TREE = TypeAdapter(Edit), TypeAdapter(Usage), TypeAdapter(Tree)
_PAPER: TypeAdapter[Paper | None] = TypeAdapter(Paper | None)
_REVIEW: TypeAdapter[Review | None] = TypeAdapter(Review | None)
_CLAIMS, _NAMES = TypeAdapter(tuple[Claim, ...]), TypeAdapter(tuple[str, ...])
BASELINE = "run/baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One port call: what was asked (as JSON), and the answer or the error (as JSON).

    ``seconds`` is None for a call whose answer was never recorded.
    """

    port: str
    scope: str
    at: str
    asked: Any
    answer: Any
    error: dict[str, Any] | None
    seconds: float | None
    ceiling: Usage

    @property
    def place(self) -> str:
        """The scope without the idea's own part."""
        return "/".join(self.scope.split("/")[2:]) or self.scope

    @property
    def result(self) -> JobResult:
        return _RESULT.validate_python(self.answer, strict=False)

    @property
    def edit(self) -> Edit:
        return _EDIT.validate_python(self.answer, strict=False)

    @property
    def usage(self) -> Usage:
        """What the call cost; without a recorded answer, the most that it can have cost."""
        if self.answer is not None:
            return _USAGE.validate_python(self.answer["usage"])
        return Usage() if self.error else self.ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaFacts:
    """Everything that a page about one idea says. ``runs`` begin with the baseline, if known.

    ``shared`` are the calls that the run made for all its ideas.
    """

    idea: Idea
    novelty: Novelty
    pins: dict[str, Any]
    manifest: Manifest | None
    status: str
    failure: Failure | None
    began: str
    ended: str
    stages: tuple[tuple[str, float], ...]
    runs: tuple[Run, ...]
    results: tuple[tuple[int, Results], ...]
    tree: Tree
    figures: tuple[str, ...]
    paper: Paper | None
    claims: tuple[Claim, ...]
    review: Review | None
    steps: tuple[Step, ...]
    shared: tuple[Step, ...]
    lines: int
    head: str
    sealed: bool
    journal: Journal

    def of(self, port: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.port == port)

    def blob(self, sha256: str) -> bytes:
        return self.journal.blobs.get(sha256)


def read_idea(journal: Journal, run: Journal | None) -> IdeaFacts:
    """The facts of one idea. ``run`` is its run's journal; without it the baseline is unknown."""
    first = journal.lines[0]
    reached = journal.notes("reached", below="idea")
    last: dict[str, Any] = reached[-1] if reached else {}
    failed = journal.notes("failed", below="idea")
    pins = run.pins if run is not None else {}
    runs = _baseline(run) + tuple(
        _RUN.validate_python(value, strict=False)
        for value in journal.notes("run_finished", below="idea")
    )
    return IdeaFacts(
        idea=_IDEA.validate_python(first["idea"]),
        novelty=_NOVELTY.validate_python(first["novelty"], strict=False),
        pins=pins,
        manifest=_manifest(run),
        status=_status(journal),
        failure=_FAILURE.validate_python(failed[-1]) if failed else None,
        began=first["at"],
        ended=journal.lines[-1]["at"],
        stages=_stages(journal),
        runs=runs,
        results=tuple(_results(runs, journal)),
        tree=_TREE.validate_python(last.get("tree", {"files": ()}), strict=False),
        figures=_NAMES.validate_python(last.get("figures", ()), strict=False),
        paper=_PAPER.validate_python(last.get("paper"), strict=False),
        claims=_CLAIMS.validate_python(last.get("claims", ()), strict=False),
        review=_REVIEW.validate_python(last.get("review"), strict=False),
        steps=steps(journal),
        shared=_shared(run),
        lines=len(journal.lines),
        head=journal.head,
        sealed=journal.sealed,
        journal=journal,
    )


def steps(journal: Journal) -> tuple[Step, ...]:
    """Every port call of ``journal`` in the order of asking; asked again after a transient
    failure, a call stands once with its last answer.
    """
    asked: dict[tuple[str, str, int], dict[str, Any]] = {}
    answered: dict[tuple[str, str, int], dict[str, Any]] = {}
    for line in journal.lines:
        if line["kind"] in {"asked", "answered"}:
            key = (line["port"], line["scope"], line["ord"])
            (asked if line["kind"] == "asked" else answered)[key] = line
    return tuple(_step(journal, line, answered.get(key)) for key, line in asked.items())


def _step(journal: Journal, asked: dict[str, Any], answer: dict[str, Any] | None) -> Step:
    return Step(
        port=asked["port"],
        scope=asked["scope"],
        at=asked["at"],
        asked=journal.body(asked),
        answer=journal.body(answer) if answer and "body" in answer else None,
        error=answer.get("error") if answer else None,
        seconds=answer["seconds"] if answer else None,
        ceiling=Usage(**asked["ceiling"]),
    )


def _status(journal: Journal) -> str:
    for note, status in (("finished", "finished"), ("failed", "failed"), ("skipped", "not novel")):
        if journal.notes(note, below="idea"):
            return status
    return "unfinished"


def _stages(journal: Journal) -> tuple[tuple[str, float], ...]:
    """(stage, seconds on the clock), from the times at which the lines were written."""
    marks = [
        (str(journal.body(line)["name"]), line["at"])
        for line in journal.lines
        if line["kind"] == "noted" and line["name"] == "stage"
    ]
    marks.append(("", journal.lines[-1]["at"]))
    return tuple((name, between(at, end)) for (name, at), (_, end) in pairwise(marks))


def between(began: str, ended: str) -> float:
    """Seconds between two of the journal's times."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _shared(run: Journal | None) -> tuple[Step, ...]:
    """The baseline's container, which all ideas of a run share."""
    found = steps(run) if run is not None else ()
    return tuple(step for step in found if step.scope == BASELINE and step.answer is not None)


def _baseline(run: Journal | None) -> tuple[Run, ...]:
    found = _shared(run)
    if not found or not found[-1].result.ok:
        return ()
    result = found[-1].result
    return (
        Run(
            number=0,
            code=_TREE.validate_python(found[-1].asked["files"], strict=False),
            files=result.files.under("run_0"),
            description="the template as it is",
            attempts=1,
            seconds=result.attestation.peaks.wall,
        ),
    )


def _results(runs: tuple[Run, ...], journal: Journal) -> list[tuple[int, Results]]:
    found = []
    for run in runs:
        sha256 = run.files.get(f"run_{run.number}/final_info.json")
        if sha256 is not None:
            try:
                found.append((run.number, parse_final_info(journal.blobs.get(sha256))))
            except BadResults:  # a run that is noted as finished had results that could be read
                continue
    return found


def _manifest(run: Journal | None) -> Manifest | None:
    if run is None:
        return None
    known = run.pins["template"]
    files = {name: run.blobs.get(sha256) for name, sha256 in known["files"]}
    return from_files(files, known["name"], known["origin"]).manifest
