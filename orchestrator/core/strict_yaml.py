"""Strict YAML that people write: each error is shown at its line, column and key.

Only what JSON can express is accepted: duplicate keys, anchors, aliases, tags, several documents
and keys that are not text are refused, as is a file too large or too deep. The only importer of
ruamel.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
from orchestrator.core.files import utf8_text
from orchestrator.core.places import Place, Problem
from orchestrator.core.problems import FORM_RULE, Loc, Wrong, explained
from orchestrator.core.secrets import without_values

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16

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
        return str(self.place(loc))

    def place(self, loc: Loc = ()) -> Place:
        """As :meth:`where`, in its parts."""
        line, column = self.marks[self._nearest(loc)]
        key = without_values(".".join(str(part) for part in loc))
        return Place(self.path, line, column, key)

    def _nearest(self, loc: Loc) -> Loc:
        known = loc
        while known not in self.marks:
            known = known[:-1]
        return ("extends",) if loc and not known and ("extends",) in self.marks else known

    def bad(
        self, loc: Loc, what: str, *, why: str = "", todo: str, rule: str = FORM_RULE
    ) -> BadFile:
        """The error to raise for the value at ``loc``; nothing in it has the form of a secret."""
        shown = [without_values(text) for text in (what, why, todo)]
        return self.error.at(self.place(loc), shown[0], rule=rule, why=shown[1], todo=shown[2])

    def all_bad(self, found: Sequence[Wrong]) -> BadFile:
        """The error to raise for everything in ``found``, in the order of the file."""
        ordered = sorted(found, key=lambda one: self.marks[self._nearest(one.loc)])
        problems = [
            Problem(
                self.place(one.loc), without_values(one.what), without_values(one.todo), one.rule
            )
            for one in ordered
        ]
        return self.error.listing(self.path, problems)


def read(path: Path, error: type[BadFile] = BadFile) -> Document:
    """The file's data with positions. Raises ``error``."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise error(
            f"cannot read {path.name}",
            where=str(path),
            why=problem.strerror or str(problem),
            todo="check the path and your rights to read the file",
        ) from problem
    return parse(raw, str(path), error)  # type: ignore[arg-type]  # a class is hashable


@lru_cache(maxsize=64)
def parse(raw: bytes, path: str, error: type[BadFile] = BadFile) -> Document:
    """``raw`` as strict YAML; ``path`` is only for messages. Raises ``error``.

    The same bytes are parsed once: the parents of a policy are read many times.
    """
    if len(raw) > MAX_BYTES:
        raise error(
            "the file is too large",
            where=path,
            why=f"more than {MAX_BYTES} bytes",
            todo="check that this is the file you mean; shorten it if it is",
        )
    text = utf8_text(raw, "the file", path, error)
    try:
        _refuse_cleverness(text, path, error)
        node = YAML(typ="safe", pure=True).compose(StringIO(text))
    except MarkedYAMLError as problem:
        mark = problem.problem_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        why = str(problem.problem)
        raise error.at(place, _NOT_YAML, rule=_SYNTAX, why=why, todo=_CHECK_SYNTAX) from problem
    except (YAMLError, RecursionError) as problem:
        why = " ".join(str(problem).split())
        raise error.at(
            Place(path), _NOT_YAML, rule=_SYNTAX, why=why, todo=_CHECK_SYNTAX
        ) from problem
    marks: dict[Loc, tuple[int, int]] = {(): (1, 1)}
    document = Document(path, text, None, marks, error)
    data = None if node is None else _build(node, (), document)
    return Document(path, text, data, marks, error)


_SYNTAX = "syntax"  # the rule that a file is plain YAML
_NOT_YAML = "this is not valid YAML"
_NO_ANCHORS = "write the value in full at each place where it is used"
_NO_TAGS = "remove the part that begins with `!`"
_CHECK_SYNTAX = "check indentation, brackets and quotes at this place"


def _refuse_cleverness(text: str, path: str, error: type[BadFile]) -> None:
    """Refuse anchors, aliases and tags: with them a file does not mean what a reader sees."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(StringIO(text)):
        name = type(event).__name__
        depth += name.endswith("StartEvent")
        depth -= name.endswith("EndEvent")
        mark = event.start_mark
        place = Place(path, mark.line + 1, mark.column + 1)
        if depth > MAX_DEPTH:
            raise error.at(
                place,
                "the file is nested too deep",
                rule=_SYNTAX,
                why=f"over {MAX_DEPTH} levels",
                todo="check the indentation and the brackets before this place",
            )
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise error.at(
                place, "anchors and aliases are not allowed", rule=_SYNTAX, todo=_NO_ANCHORS
            )
        if getattr(event, "tag", None) is not None:
            raise error.at(place, "tags are not allowed", rule=_SYNTAX, todo=_NO_TAGS)


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
            raise document.bad((*loc, "?"), "a key must be text", todo="put the key in quotes")
        if key in mapping:
            document.marks[(*loc, key)] = at
            raise document.bad(
                (*loc, key), f"the key {key!r} occurs twice", todo="remove one of them"
            )
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
    if _is(node, "int") and re.fullmatch(r"[+-]?(0|[1-9]\d{0,29})", text, re.ASCII):
        return int(text)
    if _is(node, "float") and re.fullmatch(
        r"[+-]?[\d.]{1,30}(e[+-]?\d{1,2})?", text, re.ASCII | re.IGNORECASE
    ):
        return float(text)
    if _is(node, "str") or _is(node, "timestamp"):
        return text
    raise document.bad(
        loc,
        f"{text[:40]!r} is not a plain number",
        todo="write a decimal number such as 1.5, or put text in quotes",
    )


def validated(document: Document, model: type[Model], found: Sequence[Wrong] = ()) -> Model:
    """``document`` as ``model``. Raises one error for all that is wrong, with what was ``found``."""
    if not isinstance(document.data, dict):
        raise document.bad(
            (),
            "the file is not a mapping of keys to values",
            todo="write each key on a line of its own: `key: value`",
        )
    try:
        made = model.model_validate(document.data)
    except ValidationError as problem:
        found = [*found, *explained(problem, document.data, model.model_json_schema)]
        raise document.all_bad(found) from problem
    if found:
        raise document.all_bad(found)
    return made


def dump(data: dict[str, Any]) -> str:
    """``data`` as YAML text that :func:`parse` reads back to an equal value."""
    out = StringIO()
    yaml = YAML(pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(data, out)
    return out.getvalue()
