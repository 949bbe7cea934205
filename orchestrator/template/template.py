"""A template: a folder with a small experiment that runs, and what it says of itself.

``load`` reads the folder once, as bytes; everything later works on those. A folder in the AI
Scientist's format, with no ``template.yaml``, is a template too: its manifest is inferred, with
no knobs and no directions. ``contract.py`` checks that a template keeps what is asked of it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orchestrator.core.errors import BadTemplate, UnknownName
from orchestrator.core.research import Idea
from orchestrator.core.strict_yaml import nearest, parse, validated
from orchestrator.core.tree import digest
from orchestrator.template.manifest import Manifest, Scale

Shape = TypeVar("Shape")

MANIFEST = "template.yaml"
NOTES = "notes.txt"
PAPER = "latex/template.tex"
MAX_FILES = 2000
MAX_DEPTH = 8
MAX_FILE = 64 * 1024 * 1024
MAX_BYTES = 256 * 1024 * 1024


class Task(BaseModel):
    """``prompt.json``: who the model is to be, and what the template's experiment is about."""

    model_config = ConfigDict(frozen=True)

    system: str = Field(min_length=1, max_length=20_000)
    task_description: str = Field(min_length=1, max_length=20_000)


class _SeedIdea(BaseModel):
    """One entry of ``seed_ideas.json``; keys beside these six are of no use here."""

    Name: str = Field(min_length=1, max_length=100)
    Title: str = Field(min_length=1, max_length=300)
    Experiment: str = Field(min_length=1, max_length=20_000)
    Interestingness: int | None = Field(default=None, ge=1, le=10)
    Feasibility: int | None = Field(default=None, ge=1, le=10)
    Novelty: int | None = Field(default=None, ge=1, le=10)


@dataclass(frozen=True, kw_only=True)
class Template:
    """The bytes of a template's folder by relative POSIX path, and its manifest.

    ``origin`` is where it came from, for people. ``inferred``: the folder has no manifest.
    """

    name: str
    origin: str
    files: Mapping[str, bytes]
    manifest: Manifest
    inferred: bool

    @cached_property
    def hash(self) -> str:
        """SHA-256 over every path and its content: equal for equal folders, wherever they lie."""
        return digest({path: digest(data) for path, data in self.files.items()})

    @property
    def argument(self) -> str:
        """How a person names it on the command line."""
        return self.origin.removeprefix("templates/")

    def text(self, path: str) -> str:
        """A file's text. Raises :class:`BadTemplate` if it is missing or not UTF-8."""
        if path not in self.files:
            raise BadTemplate(f"{path} is missing", where=self.origin, todo=f"add {path}")
        try:
            return self.files[path].decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadTemplate(
                f"{path} is not UTF-8 text", where=f"{self.origin}/{path}", why=str(error)
            ) from error

    def task(self) -> Task:
        """``prompt.json``. Raises :class:`BadTemplate`."""
        return self._json("prompt.json", TypeAdapter(Task))

    def seed_ideas(self) -> tuple[Idea, ...]:
        """``seed_ideas.json``. Raises :class:`BadTemplate`."""
        seeds = self._json("seed_ideas.json", TypeAdapter(tuple[_SeedIdea, ...]))
        return tuple(
            Idea(
                name=seed.Name,
                title=seed.Title,
                experiment=seed.Experiment,
                interestingness=seed.Interestingness,
                feasibility=seed.Feasibility,
                novelty=seed.Novelty,
            )
            for seed in seeds
        )

    def scale(self, name: str) -> Scale:
        """A declared scale. Raises :class:`UnknownName` with the names there are."""
        if name not in self.manifest.scales:
            raise UnknownName(
                f"the template {self.name} has no scale {name!r}",
                where=f"{self.origin}/{MANIFEST}",
                todo=nearest(name, tuple(self.manifest.scales)),
            )
        return self.manifest.scales[name]

    def _json(self, path: str, shape: TypeAdapter[Shape]) -> Shape:
        text, where = self.text(path), f"{self.origin}/{path}"
        try:
            return shape.validate_python(json.loads(text))
        except json.JSONDecodeError as error:
            place = f"{where}:{error.lineno}:{error.colno}"
            raise BadTemplate(f"{path} is not JSON", where=place, why=error.msg) from error
        except RecursionError as error:
            raise BadTemplate(f"{path} is nested too deep", where=where) from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            raise BadTemplate(
                f"{path} does not have the form that is needed",
                where=f"{where}: {key}" if key else where,
                why=first["msg"],
                todo="docs/templates.md shows the form",
            ) from error


def load(name_or_path: str, shipped_root: Path) -> Template:
    """The shipped template of that bare name, or the folder at that path (it has a slash).

    Raises :class:`UnknownName` or :class:`BadTemplate`.
    """
    if "/" in name_or_path:
        folder, origin = Path(name_or_path), name_or_path.rstrip("/") or "/"
        if not folder.is_dir():
            raise UnknownName("no such template folder", where=name_or_path)
    else:
        names = shipped(shipped_root)
        if name_or_path not in names:
            raise UnknownName(
                f"no shipped template is called {name_or_path!r}",
                todo=f"{nearest(name_or_path, names)} (a folder of yours is given with a slash)",
            )
        folder = shipped_root / "templates" / name_or_path
        origin = f"templates/{name_or_path}"
    return from_files(dict(_read(folder)), folder.resolve().name, origin)


def shipped(shipped_root: Path) -> tuple[str, ...]:
    """The names of the templates that travel with the program, sorted."""
    found = (shipped_root / "templates").glob(f"*/{MANIFEST}")
    return tuple(sorted(path.parent.name for path in found))


def from_files(files: Mapping[str, bytes], name: str, origin: str) -> Template:
    """A template of bytes already read. Raises :class:`BadTemplate`."""
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
    """What can be said of a folder in the AI Scientist's format without running it."""
    code = tuple(path for path in files if path.endswith(".py") and "/" not in path)
    editable = (*code, NOTES, *([PAPER] if PAPER in files else []))
    return Manifest.model_validate(
        {
            "version": 1,
            "name": "".join(
                c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name
            ).strip("_-")[:80]
            or "template",
            "title": name,
            "description": "A folder in the AI Scientist's format; it has no manifest.",
            "editable": editable,
            "scales": {
                "full": {"minutes": 120, "description": "unknown: two hours are allowed for"}
            },
        }
    )


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every regular file below ``folder``, but hidden ones, caches and earlier ``run_i/``."""
    count = total = 0
    for path in _walk(folder, folder, 0):
        relative = path.relative_to(folder).as_posix()
        info = path.lstat()
        count, total = count + 1, total + info.st_size
        if not stat.S_ISREG(info.st_mode):
            raise _unfit(path, "it is no regular file", "replace links and devices by plain files")
        if not relative.isprintable() or "\\" in relative:
            raise _unfit(path, "its name has characters that cannot be shown", "rename it")
        if info.st_size > MAX_FILE or total > MAX_BYTES or count > MAX_FILES:
            raise _unfit(
                path,
                f"a template may have {MAX_FILES} files, {MAX_FILE >> 20} MiB in one "
                f"and {MAX_BYTES >> 20} MiB in all",
                "keep large data outside the template",
            )
        yield relative, _content(path)


def _walk(folder: Path, root: Path, depth: int) -> Iterator[Path]:
    if depth > MAX_DEPTH:
        raise _unfit(folder, f"it lies more than {MAX_DEPTH} folders deep", "flatten the template")
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if not path.is_dir() or path.is_symlink():
            yield path
        elif folder != root or not path.name.removeprefix("run_").isdigit():
            yield from _walk(path, root, depth + 1)


def _content(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(MAX_FILE + 1)
    except OSError as error:
        raise _unfit(path, error.strerror or str(error), "make it readable") from error


def _unfit(path: Path, why: str, todo: str) -> BadTemplate:
    return BadTemplate(
        "a file cannot be part of a template", where=repr(str(path))[1:-1], why=why, todo=todo
    )
