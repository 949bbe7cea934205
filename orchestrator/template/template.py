"""A template: a folder with a small runnable experiment, and its manifest.

``load_template`` reads the folder once, as bytes (``folder.py``); everything later works on those. A folder
in the AI Scientist's format, with no ``template.yaml``, is a template too: its manifest is
inferred, with no knobs and no directions. ``contract/`` has the rules that a template must keep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from orchestrator.core.errors import BadTemplate, UnknownName, listed
from orchestrator.core.files import plain_lines, utf8_text
from orchestrator.core.problems import explained, nearest, row
from orchestrator.core.research import Idea
from orchestrator.core.strict_yaml import parse, validated
from orchestrator.core.tree import digest
from orchestrator.template.folder import MANIFEST, PAPER, read_folder, shipped_templates
from orchestrator.template.manifest import Manifest, Scale

_Shape = TypeVar("_Shape")

NOTES = "notes.txt"
_MOST_TEXT = 1 << 20  # bytes of a file that is read as text
_MAX_DIGITS = 100  # of an integer
_FORMS = "docs/templates.md"


class Task(BaseModel, frozen=True):
    """``prompt.json``: the role of the model, and the subject of the template's experiment."""

    system: str = Field(min_length=1, max_length=20_000)
    task_description: str = Field(min_length=1, max_length=20_000)


class _SeedIdea(BaseModel):
    """One entry of ``seed_ideas.json``; other keys are ignored."""

    Name: str = Field(min_length=1, max_length=100)
    Title: str = Field(min_length=1, max_length=300)
    Experiment: str = Field(min_length=1, max_length=20_000)
    Interestingness: int | None = Field(default=None, ge=1, le=10)
    Feasibility: int | None = Field(default=None, ge=1, le=10)
    Novelty: int | None = Field(default=None, ge=1, le=10)


@dataclass(frozen=True, kw_only=True)
class Template:
    """The bytes of a template's folder by relative POSIX path, and its manifest. ``origin`` is its
    place, for messages. ``inferred``: the folder has no manifest.
    """

    name: str
    origin: str
    files: Mapping[str, bytes]
    manifest: Manifest
    inferred: bool

    @cached_property
    def hash(self) -> str:
        """SHA-256 over every path and its content: equal for equal folders, wherever they are."""
        return digest({path: digest(data) for path, data in self.files.items()})

    @property
    def opaque(self) -> bool:
        """Whether it may hold and write files that can run code when they are read."""
        return self.inferred or self.manifest.opaque_files

    @property
    def argument(self) -> str:
        """Its name on the command line."""
        return self.origin.removeprefix("templates/")

    def text(self, path: str) -> str:
        """A file's text in plain lines. Raises :class:`BadTemplate` if it is missing or not UTF-8."""
        if path not in self.files:
            raise BadTemplate(f"{path} is missing", where=self.origin, todo=f"add {path}")
        where, data = f"{self.origin}/{path}", self.files[path]
        if len(data) > _MOST_TEXT:
            raise BadTemplate(
                f"{path} has {len(data)} bytes; a file that is read as text may have {_MOST_TEXT}",
                where=where,
                todo="keep large tables and data in files of their own",
            )
        return plain_lines(utf8_text(data, path, where, BadTemplate))

    def task(self) -> Task:
        """``prompt.json``. Raises :class:`BadTemplate`."""
        return self._json("prompt.json", TypeAdapter(Task))

    def seed_ideas(self) -> tuple[Idea, ...]:
        """``seed_ideas.json``. Raises :class:`BadTemplate`."""
        seeds = self._json("seed_ideas.json", TypeAdapter(tuple[_SeedIdea, ...]))
        return tuple(
            Idea(**{key.lower(): value for key, value in seed.model_dump().items()})
            for seed in seeds
        )

    def scale(self, name: str) -> Scale:
        """A declared scale. Raises :class:`UnknownName`, which suggests the nearest name."""
        if name not in self.manifest.scales:
            raise UnknownName(
                f"the template {self.name} has no scale {name!r}",
                where=f"{self.origin}/{MANIFEST}",
                todo=nearest(name, tuple(self.manifest.scales)),
            )
        return self.manifest.scales[name]

    def _json(self, path: str, shape: TypeAdapter[_Shape]) -> _Shape:
        text, where = self.text(path), f"{self.origin}/{path}"
        data: Any = None
        try:
            data = json.loads(text, parse_int=_short_int)
            return shape.validate_python(data)
        except json.JSONDecodeError as error:
            place = f"{where}:{error.lineno}:{error.colno}"
            todo = "check commas, brackets and quotes at this place"
            raise BadTemplate(
                f"{path} is not JSON", where=place, why=error.msg, todo=todo
            ) from error
        except RecursionError as error:
            raise BadTemplate(
                f"{path} is nested too deep",
                where=where,
                todo=f"write it in the form that {_FORMS} shows",
            ) from error
        except ValidationError as error:
            found = explained(error, data, shape.json_schema)
            first = ".".join(str(part) for part in found[0].loc)
            raise BadTemplate(
                f"{path} does not have the required form",
                where=f"{where}: {first}" if first else where,
                why=listed([row(problem) for problem in found]),
                todo=f"correct it; {_FORMS} shows the form",
            ) from error


def _short_int(digits: str) -> int:
    """An integer; one of more digits than Python converts is cut to a number that no field allows."""
    return int(digits[:_MAX_DIGITS])


def load_template(name_or_path: str, shipped_root: Path) -> Template:
    """The shipped template of that bare name, or the folder at that path (it has a slash). Raises
    :class:`UnknownName` or :class:`BadTemplate`.
    """
    if name_or_path in {".", ".."}:  # as every program takes them
        name_or_path += "/"
    if "/" in name_or_path:
        folder, origin = Path(name_or_path), name_or_path.rstrip("/") or "/"
        if not folder.is_dir():
            raise UnknownName(
                "no such template folder",
                where=name_or_path,
                todo="check the path, or use a bare name: `aisci template list` prints them",
            )
    else:
        names = shipped_templates(shipped_root)
        if name_or_path not in names:
            raise UnknownName(
                f"there is no shipped template {name_or_path!r}",
                where=f"the shipped templates, in {shipped_root / 'templates'}",
                todo=f"write ./{name_or_path}: there is such a folder here, and a bare name is a shipped one's"
                if Path(name_or_path).is_dir()
                else f"{nearest(name_or_path, names)}\nfor a folder of your own, write ./{name_or_path}",
            )
        folder = shipped_root / "templates" / name_or_path
        origin = f"templates/{name_or_path}"
    return from_files(read_folder(folder, origin, shipped_root), folder.resolve().name, origin)


def from_files(files: Mapping[str, bytes], name: str, origin: str) -> Template:
    """The template in ``files``. Raises :class:`BadTemplate`."""
    ordered = {path: files[path] for path in sorted(files)}
    raw = ordered.get(MANIFEST)
    if raw is None:
        manifest = _inferred(ordered, name)
    else:
        manifest = validated(parse(raw, f"{origin}/{MANIFEST}", BadTemplate), Manifest)
    return Template(
        name=manifest.name, origin=origin, files=ordered, manifest=manifest, inferred=raw is None
    )


def _inferred(files: Mapping[str, bytes], name: str) -> Manifest:
    """The manifest that the files of a folder in the AI Scientist's format imply."""
    code = tuple(path for path in files if path.endswith(".py") and "/" not in path)
    editable = (*code, NOTES, *([PAPER] if PAPER in files else []))
    scale = {"description": "the size that the code sets by itself; how long it takes is unknown"}
    return Manifest.model_validate(
        {
            "version": 1,
            "name": re.sub("[^A-Za-z0-9_-]", "_", name).strip("_-")[:80] or "template",
            "title": name,
            "description": "A folder in the AI Scientist's format; it has no manifest.",
            "editable": editable,
            "scales": {"full": scale},
        }
    )
