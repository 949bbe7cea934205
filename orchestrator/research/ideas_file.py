"""What a run leaves beside its journals: ideas, evidence, history, review and reports.

All of it is derived from the journal and the blobs, so it can be written again at any time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from orchestrator import BadFile
from orchestrator.record.journal import Journal
from orchestrator.record.paths import IdeaPaths, write
from orchestrator.records import Idea, canonical
from orchestrator.research.pipeline import Outcome

Score = Annotated[int, Field(ge=1, le=10)] | None


class Saving(Protocol):
    """Writes what is made from a finished journal; joined by the command."""

    def idea(self, output: IdeaPaths, journal: Journal, outcome: Outcome) -> None:
        """Write one idea's evidence, history, review and report."""

    def run(self, place: Any, journal: Journal, outcomes: tuple[Outcome, ...]) -> None:
        """Write the run's own report."""


class _Written(BaseModel):
    """An idea as a person may write it into ``ideas.json``."""

    model_config = ConfigDict(extra="forbid")

    Name: Annotated[str, Field(min_length=1, max_length=80)]
    Title: Annotated[str, Field(min_length=1, max_length=200)]
    Experiment: Annotated[str, Field(min_length=1, max_length=4000)]
    Interestingness: Score = None
    Feasibility: Score = None
    Novelty: Score = None


_ROWS: TypeAdapter[list[_Written]] = TypeAdapter(Annotated[list[_Written], Field(min_length=1)])


def write_ideas(path: Path, ideas: tuple[Idea, ...]) -> None:
    """``ideas.json`` with the field names that The AI Scientist's users know."""
    rows = [
        {
            "Name": idea.name,
            "Title": idea.title,
            "Experiment": idea.experiment,
            "Interestingness": idea.interestingness,
            "Feasibility": idea.feasibility,
            "Novelty": idea.novelty,
        }
        for idea in ideas
    ]
    write(path, json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def edited_ideas(path: Path, known: tuple[Idea, ...]) -> tuple[Idea, ...] | None:
    """The ideas in ``ideas.json`` if a person changed them since, else None."""
    if not path.exists():
        return None
    try:
        rows = _ROWS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadFile(
            "ideas.json cannot be read as a list of ideas",
            where=str(path),
            why="; ".join(_said(problem) for problem in error.errors()[:3]),
            todo="each idea needs Name, Title and Experiment; or delete the file to undo the edit",
        ) from error
    found = tuple(
        Idea(**{key.lower(): value for key, value in row.model_dump().items()}) for row in rows
    )
    ids = [idea.id for idea in found]
    twice = next((idea.name for idea in found if ids.count(idea.id) > 1), None)
    if twice is not None:
        raise BadFile("ideas.json holds one idea twice", where=str(path), why=f"{twice!r}")
    return found if found != known else None


def _said(problem: ErrorDetails) -> str:
    """Which idea and key, counted from 1 as people do, and what is wrong there."""
    place = [f"idea {one + 1}" if isinstance(one, int) else one for one in problem["loc"]]
    return ": ".join([*place, problem["msg"]])


def evidence(journal: Journal) -> Iterator[tuple[str, Any]]:
    """(scope, what is said of it) of every container whose end the journal records, in order.

    A line from before evidence was journalled has the attestation alone.
    """
    for line in journal.lines:
        if line["kind"] != "answered" or line["port"] not in {"sandbox", "editor"}:
            continue
        if "evidence" in line:
            yield line["scope"], journal.body(line, "evidence")
        elif "body" in line and (told := journal.body(line)["attestation"]) is not None:
            yield line["scope"], {"scope": line["scope"], **told}


def write_evidence(folder: Path, journal: Journal) -> None:
    """One JSON file a container: what the journal says of it."""
    for number, (scope, told) in enumerate(evidence(journal), start=1):
        write(folder / evidence_name(number, scope), canonical(told) + b"\n")


def evidence_name(number: int, scope: str) -> str:
    """A container's file, by its order in its journal and its place."""
    return f"{number:03d}_{scope.split('/', 2)[-1].replace('/', '_')}.json"
