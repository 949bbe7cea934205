"""A policy file as a person writes it, where keys may be omitted; and its JSON Schema.

Editors use the schema, in ``policies/schema.json``, to complete keys and to underline errors. It
describes the form of each value; ``aisci policy check`` compares values with each other.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, BeforeValidator, Field, create_model

from orchestrator.core.problems import Invalid
from orchestrator.policy.model_rules import ModelRules
from orchestrator.policy.schema import SETTINGS, Container, EditorContainer, Strict, WholePolicy
from orchestrator.policy.values import SeccompWritten


def _editor_word(value: Any) -> Any:
    """``editor: process`` is short for ``editor: {process: true}``."""
    if not isinstance(value, str):
        return value
    if value != "process":
        what = f"{value[:40]!r} is neither a container's block nor the word `process`"
        raise Invalid(what, "write `editor: process`, or the keys of a block")
    return {"process": True}


def _extends(description: str) -> tuple[Any, Any]:
    return str | None, Field(default=None, description=description)


def _partial(model: type[BaseModel], *required: str, **extra: Any) -> type[Strict]:
    """``model`` with every key optional, on every level; containers may have ``extends``."""
    fields: dict[str, Any] = dict(extra)
    for key, kind in get_type_hints(model, include_extras=True).items():
        if key not in model.model_fields:
            continue
        if key in required:
            fields[key] = (kind, Field(description=model.model_fields[key].description))
            continue
        if isinstance(kind, type) and issubclass(kind, Strict | ModelRules):
            other = _extends("Take the block of this name from another policy.")
            more = {"extends": other} if issubclass(kind, Container) else {}
            written: Any = _partial(kind, **more) | None
            if kind is EditorContainer:
                shown = Literal["process"] | written
                written = Annotated[
                    written, BeforeValidator(_editor_word, json_schema_input_type=shown)
                ]
        else:
            written = (SeccompWritten if key == "seccomp" else kind) | None
        description = model.model_fields[key].description
        fields[key] = (written, Field(default=None, description=description))
    return create_model(model.__name__, __base__=Strict, __doc__=model.__doc__, **fields)


_PARENT = _extends("The one parent: a shipped policy's name, or ./a/file.yaml.")
Written = _partial(WholePolicy, "version", "name", "description", extends=_PARENT)
"""A policy file as a person wrote it: the parent supplies omitted keys; unknown keys are refused."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema, draft 2020-12, of a policy file."""
    made = _cleaned(Written.model_json_schema())
    made["properties"]["exceeds"]["propertyNames"] = {"enum": list(SETTINGS)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "A policy of aisci",
        "description": "What containers, ideas and runs may use. The parent supplies omitted keys.",
    }


def _cleaned(node: Any) -> Any:
    """``node`` without what a file cannot express: a null, a default, a class's name."""
    if isinstance(node, str):
        return node.replace("``", "`")
    if isinstance(node, list):
        return [_cleaned(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _cleaned(one) for key, one in node.items() if key not in {"default", "title"}}
    branches = [one for one in kept.get("anyOf", ()) if one != {"type": "null"}]
    if len(branches) == 1:
        del kept["anyOf"]
        return branches[0] | kept
    return kept | ({"anyOf": branches} if branches else {})
