"""What a run leaves beside its journals: ideas, evidence, history, review and reports.

All of it is derived from the journal and the blobs, so it can be written again at any time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.core.errors import BadFile
from orchestrator.core.files import write
from orchestrator.core.research import Idea

_Score = Annotated[int, Field(ge=1, le=10)] | None


class _Written(BaseModel):
    """An idea as a person may write it into ``ideas.json``."""

    model_config = ConfigDict(extra="forbid")

    Name: Annotated[str, Field(min_length=1, max_length=80)]
    Title: Annotated[str, Field(min_length=1, max_length=200)]
    Experiment: Annotated[str, Field(min_length=1, max_length=4000)]
    Interestingness: _Score = None
    Feasibility: _Score = None
    Novelty: _Score = None


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
        raise BadFile(
            "ideas.json holds one idea twice",
            where=str(path),
            why=f"{twice!r}",
            todo="remove one of the two, or change its text",
        )
    return found if found != known else None


def _said(problem: ErrorDetails) -> str:
    """Which idea and key, counted from 1 as people do, and what is wrong there."""
    place = [f"idea {one + 1}" if isinstance(one, int) else one for one in problem["loc"]]
    return ": ".join([*place, problem["msg"]])
