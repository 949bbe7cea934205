"""Strict YAML that people write: what is wrong is shown at its line, column and key.

Only what JSON can say is read: duplicate keys, anchors, aliases, tags, several documents and
non-text keys are refused, as is a file too large or too deep. The sole importer of ruamel.yaml.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestrator.core.errors import BadFile

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16

Loc = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's data and, for each key path, its line and column (from 1)."""

    path: str
    text: str
    data: Any
    marks: dict[Loc, tuple[int, int]]
    error: type[BadFile] = BadFile

    def where(self, loc: Loc = ()) -> str:
        """``file:line:column: key.path``, at the nearest part of ``loc`` that is in the file.

        What the file leaves to its parent is shown where it names that parent.
        """
        known = loc
        while known not in self.marks:
            known = known[:-1]
        if loc and not known and ("extends",) in self.marks:
            known = ("extends",)
        line, column = self.marks[known]
        key = ".".join(str(part) for part in loc)
        return f"{self.path}:{line}:{column}" + (f": {key}" if key else "")

    def bad(self, loc: Loc, what: str, *, why: str = "", todo: str = "") -> BadFile:
        """The error to raise for the value at ``loc``."""
        return self.error(what, where=self.where(loc), why=why, todo=todo)


def nearest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """``did you mean 'memory'?``, or the names there are."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(sorted(known)[:12])}" + (", …" if len(known) > 12 else "")


def read(path: Path, error: type[BadFile] = BadFile) -> Document:
    """The file's data with positions. Raises ``error``."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise error(
            f"cannot read {path.name}", where=str(path), why=problem.strerror or str(problem)
        ) from problem
    return parse(raw, str(path), error)  # type: ignore[arg-type]  # a class is hashable


@lru_cache(maxsize=64)
def parse(raw: bytes, path: str, error: type[BadFile] = BadFile) -> Document:
    """``raw`` as strict YAML; ``path`` is only for messages. Raises ``error``.

    The same bytes are parsed once: a policy's parents are asked for again and again.
    """
    if len(raw) > MAX_BYTES:
        raise error("the file is too large", where=path, why=f"more than {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise error("the file is not UTF-8 text", where=path, why=str(problem)) from problem
    try:
        _refuse_cleverness(text, path, error)
        node = YAML(typ="safe", pure=True).compose(StringIO(text))
    except MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise error("this is not valid YAML", where=where, why=str(problem.problem)) from problem
    except (YAMLError, RecursionError) as problem:
        raise error("this is not valid YAML", where=path, why=str(problem)) from problem
    marks: dict[Loc, tuple[int, int]] = {(): (1, 1)}
    document = Document(path, text, None, marks, error)
    data = None if node is None else _build(node, (), document)
    return Document(path, text, data, marks, error)


def _refuse_cleverness(text: str, path: str, error: type[BadFile]) -> None:
    """Anchors, aliases and tags make a file mean other than it says."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(StringIO(text)):
        name = type(event).__name__
        depth += name.endswith("StartEvent")
        depth -= name.endswith("EndEvent")
        mark = event.start_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}"
        if depth > MAX_DEPTH:
            raise error("the file is nested too deep", where=where, why=f"over {MAX_DEPTH} levels")
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise error("anchors and aliases are not allowed", where=where, todo="write it out")
        if getattr(event, "tag", None) is not None:
            raise error("tags are not allowed", where=where, todo="leave out the part with `!`")


def _build(node: Node, loc: Loc, document: Document) -> Any:
    document.marks[loc] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, MappingNode):
        return _build_mapping(node, loc, document)
    if isinstance(node, SequenceNode):
        return [_build(item, (*loc, index), document) for index, item in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return _scalar(node, loc, document)


def _build_mapping(node: MappingNode, loc: Loc, document: Document) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        at = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key, str) or not _is(key_node, "str"):
            document.marks[(*loc, "?")] = at
            raise document.bad((*loc, "?"), "a key must be a text", todo="put it in quotes")
        if key in mapping:
            document.marks[(*loc, key)] = at
            raise document.bad((*loc, key), f"the key {key!r} stands twice")
        mapping[key] = _build(value_node, (*loc, key), document)
        document.marks[(*loc, key)] = at
    return mapping


def _is(node: Node, kind: str) -> bool:
    return str(node.tag) == f"tag:yaml.org,2002:{kind}"


def _scalar(node: ScalarNode, loc: Loc, document: Document) -> Any:
    text: str = node.value
    if _is(node, "null"):
        return None
    if _is(node, "bool") and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if _is(node, "int") and re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII):
        return int(text)
    if _is(node, "float") and re.fullmatch(
        r"[+-]?[\d.]{1,30}(e[+-]?\d{1,2})?", text, re.ASCII | re.IGNORECASE
    ):
        return float(text)
    if _is(node, "str") or _is(node, "timestamp"):
        return text
    raise document.bad(loc, f"{text[:40]!r} is not a plain number", todo="put a text in quotes")


def validated(document: Document, model: type[Model]) -> Model:
    """``document`` as ``model``; every finding of pydantic's stands in one error."""
    if not isinstance(document.data, dict):
        raise document.bad((), "the file is not a mapping of keys to values")
    try:
        return model.model_validate(document.data)
    except ValidationError as problem:
        first, *others = problem.errors(include_url=False)
        loc = _in_file(first["loc"], document)
        if first["type"] == "extra_forbidden":
            known = _keys_at(model, loc[:-1])
            raise document.bad(
                loc, f"unknown key {loc[-1]!r}", todo=nearest(str(loc[-1]), known)
            ) from problem
        more = [document.where(_in_file(e["loc"], document)) for e in others[:5]]
        raise document.bad(
            loc,
            "a value is wrong" if first["type"] != "missing" else f"the key {loc[-1]!r} is missing",
            why=str(first["msg"]).removeprefix("Value error, "),
            todo="also wrong: " + "; ".join(more) if more else "",
        ) from problem


def _in_file(loc: Loc, document: Document) -> Loc:
    """pydantic's path less the parts that name a union's branch."""
    known: Loc = ()
    here: Any = document.data
    for index, part in enumerate(loc):
        last = index == len(loc) - 1 and isinstance(here, dict | list)
        if (*known, part) in document.marks or last:
            known = (*known, part)
            here = here[part] if known in document.marks else None
    return known


def _keys_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that ``model`` knows below ``loc``, as far as types tell."""
    schema = model.model_json_schema()
    at: Any = schema
    for part in loc:
        at = _below(at, part, schema)
    return sorted(_resolved(at, schema).get("properties", {}))


def _resolved(at: Any, schema: Any) -> Any:
    while True:
        if "$ref" in at:
            at = schema["$defs"][at["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in at:
            at = next((one for one in at["anyOf"] if one.get("type") != "null"), {})
        else:
            return at


def _below(at: Any, part: str | int, schema: Any) -> Any:
    at = _resolved(at, schema)
    if isinstance(part, int):
        return at.get("items", {})
    return at.get("properties", {}).get(part) or at.get("additionalProperties") or {}


def dump(data: dict[str, Any]) -> str:
    """``data`` as YAML text that :func:`parse` reads back to an equal value."""
    out = StringIO()
    yaml = YAML(pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(data, out)
    return out.getvalue()
