"""Lists of ideas that a person has: ``ideas.json`` of a run, ``seed_ideas.json``, lists of The AI Scientist."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from orchestrator.core.errors import BadFile, UnknownName, UserError
from orchestrator.core.files import utf8_text
from orchestrator.core.problems import explained, nearest, row
from orchestrator.core.research import Idea
from orchestrator.core.untrusted import read_named

_MOST_BYTES = 4 << 20
_MOST_IDEAS = 1000
MOST_EXPECTED = 100
"""Runs that an idea may be said to take."""


class _Row(BaseModel, extra="ignore", frozen=True):
    """An idea in a list of either version of The AI Scientist; what it has beyond these is kept."""

    Name: Annotated[str, Field(min_length=1, max_length=200)]
    Title: Annotated[str, Field(min_length=1, max_length=500)]
    Experiment: Annotated[str, Field(max_length=20_000)] = ""
    hypothesis: Annotated[str, Field(max_length=20_000, alias="Short Hypothesis")] = ""
    Abstract: Annotated[str, Field(max_length=20_000)] = ""
    Experiments: Any = ""
    Interestingness: Any = None
    Feasibility: Any = None
    Novelty: Any = None
    novel: bool | None = None
    Runs: Any = None

    def idea(self) -> Idea:
        experiments = self.Experiments
        if not isinstance(experiments, str):
            experiments = json.dumps(experiments, ensure_ascii=False)[:20_000]
        parts = (self.Experiment, self.hypothesis, self.Abstract, experiments)
        text = "\n\n".join(part for part in parts if part)
        return Idea(
            name=self.Name,
            title=self.Title,
            experiment=text or self.Title,
            interestingness=_score(self.Interestingness),
            feasibility=_score(self.Feasibility),
            novelty=_score(self.Novelty),
            novel=self.novel,
            runs=_whole(self.Runs, range(MOST_EXPECTED + 1)),
        )


def _score(given: Any) -> int | None:
    """A proposer's own score; None for what is none from 1 to 10."""
    return _whole(given, range(1, 11))


def _whole(given: Any, span: range) -> int | None:
    """The whole number; None for what is none in ``span``."""
    return given if type(given) is int and given in span else None


_ROWS: TypeAdapter[list[_Row]] = TypeAdapter(
    Annotated[list[_Row], Field(min_length=1, max_length=_MOST_IDEAS)]
)


def listed_ideas(path: Path) -> tuple[Idea, ...]:
    """The ideas of a list. Raises :class:`BadFile` with every error."""
    if not path.is_file():
        raise BadFile("there is no such file", where=str(path), todo="name a list of ideas as JSON")
    text = utf8_text(read_named(path, _MOST_BYTES), "a list of ideas", str(path), BadFile)
    try:
        rows = _ROWS.validate_json(text)
    except ValidationError as error:
        raise BadFile(
            "this cannot be read as a list of ideas",
            where=str(path),
            why="\n".join(row(wrong) for wrong in explained(error, None)[:12]),
            todo="each idea needs Name, Title and Experiment, as ideas.json of a run has them",
        ) from error
    ideas = tuple(one.idea() for one in rows)
    require_each_once(ideas, path)
    return ideas


def require_each_once(ideas: Sequence[Idea], path: Path) -> None:
    """Raises :class:`BadFile` where the list in ``path`` has one idea twice."""
    ids = [idea.id for idea in ideas]
    twice = next((idea.name for idea in ideas if ids.count(idea.id) > 1), None)
    if twice is not None:
        raise BadFile(
            f"{path.name} contains one idea twice",
            where=str(path),
            why=f"{twice[:100]!r}",
            todo="remove one of the two, or change its text",
        )


def picked_ideas(ideas: tuple[Idea, ...], only: str, path: Path) -> tuple[Idea, ...]:
    """Those of the list in ``path`` that ``only`` names, ``3,7`` or ``wide_net,3``, in that order: by position
    from 1, or by name. Raises :class:`UnknownName` for one that the list has not, :class:`UserError` for one
    named twice.
    """
    words = [word.strip() for word in only.split(",")]
    chosen = [_picked(ideas, word, path) for word in words if word]
    twice = next(
        (word for word, one in zip(words, chosen, strict=False) if chosen.count(one) > 1), ""
    )
    if twice or not chosen:
        raise UserError(
            f"{twice[:80]!r} is named twice" if twice else "no idea is named",
            where=f"--only {only[:80]}",
            todo=f"name each idea of {path} once: 3,7 or its name",
        )
    return tuple(chosen)


def _picked(ideas: tuple[Idea, ...], word: str, path: Path) -> Idea:
    """A number is a position: a list of The AI Scientist has no names that are numbers."""
    if word.isdecimal() and 1 <= int(word[:6]) <= len(ideas):
        return ideas[int(word) - 1]
    named = [idea for idea in ideas if idea.name == word]
    if len(named) == 1:
        return named[0]
    names = tuple(idea.name for idea in ideas)
    places = [str(at) for at, idea in enumerate(ideas, start=1) if idea.name == word]
    raise UnknownName(
        f"{len(named)} ideas are named {word[:80]!r}"
        if named
        else f"the list has no idea {word[:80]!r}",
        where=f"--only; {path}",
        why=f"it has {len(ideas)}, counted from 1",
        todo=f"name it by its position: {' or '.join(places)}" if named else nearest(word, names),
    )
