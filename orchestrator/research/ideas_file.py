"""``ideas.json``: the ideas of a run, which the user may edit before the run is resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.core.errors import BadFile
from orchestrator.core.files import write
from orchestrator.core.research import Idea
from orchestrator.research.idea_lists import MOST_EXPECTED, require_each_once

_Score = Annotated[int, Field(ge=1, le=10)] | None


class _IdeaRow(BaseModel, extra="forbid"):
    """An idea in ``ideas.json``."""

    Name: Annotated[str, Field(min_length=1, max_length=80)]
    Title: Annotated[str, Field(min_length=1, max_length=200)]
    Experiment: Annotated[str, Field(min_length=1, max_length=4000)]
    Interestingness: _Score = None
    Feasibility: _Score = None
    Novelty: _Score = None
    novel: bool | None = None
    """What a person decides; it overrules the judgement on the literature."""
    Runs: Annotated[int, Field(ge=0, le=MOST_EXPECTED)] | None = None


_LEFT_OUT = {"novel", "Runs"}  # where nothing is said


_ROWS: TypeAdapter[list[_IdeaRow]] = TypeAdapter(Annotated[list[_IdeaRow], Field(min_length=1)])


def write_ideas(path: Path, ideas: tuple[Idea, ...]) -> None:
    """Write ``ideas.json`` with the field names of The AI Scientist."""
    rows = [
        {
            key: value
            for key in _IdeaRow.model_fields
            if (value := getattr(idea, key.lower())) is not None or key not in _LEFT_OUT
        }
        for idea in ideas
    ]
    write(path, json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def edited_ideas(path: Path, known: tuple[Idea, ...]) -> tuple[Idea, ...] | None:
    """The ideas in ``ideas.json`` if they differ from ``known``. Raises :class:`BadFile`."""
    if not path.exists():
        return None
    try:
        rows = _ROWS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadFile(
            "ideas.json cannot be read as a list of ideas",
            where=str(path),
            why="; ".join(_problem_text(problem) for problem in error.errors()[:3]),
            todo="each idea needs Name, Title and Experiment; or delete the file to undo the edit",
        ) from error
    ideas = tuple(
        Idea(**{key.lower(): value for key, value in row.model_dump().items()}) for row in rows
    )
    require_each_once(ideas, path)
    return ideas if ideas != known else None


def require_unedited(path: Path, *, edited: bool) -> None:
    """Raise :class:`BadFile` where a person changed the list that is to grow by itself."""
    if edited:
        raise BadFile(
            "this run's ideas are the ones that you put into ideas.json",
            where=str(path),
            why="a larger number of ideas would not say which of them stay",
            todo="add ideas to that file, then: aisci resume RUN; `aisci ideas` proposes some",
        )


def _problem_text(problem: ErrorDetails) -> str:
    """The idea, counted from 1, the key and the error."""
    place = [f"idea {part + 1}" if isinstance(part, int) else part for part in problem["loc"]]
    return ": ".join([*place, problem["msg"]])
