"""A policy file as a person writes it, where keys may be left to the parent; and its JSON Schema.

Editors use the schema, in ``policies/schema.json``, to complete and to underline. It says the
form of each value; what takes two values to see is the business of ``aisci policy check``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BeforeValidator, Field, create_model

from orchestrator.policy.schema import SETTINGS, Container, EditorContainer, Strict, Whole
from orchestrator.policy.values import SeccompWritten


def _editor_word(value: Any) -> Any:
    """``editor: process`` is short for ``editor: {process: true}``."""
    if isinstance(value, str):
        if value != "process":
            raise ValueError(f"is {value!r}; it is a container's block, or the word `process`")
        return {"process": True}
    return value


_EXTENDS = (
    str | None,
    Field(default=None, description="The one parent: a shipped policy's name, or ./a/file.yaml."),
)
_EXTENDS_BLOCK = (
    str | None,
    Field(default=None, description="Take the block of this name from another policy."),
)


def _partial(model: type[Strict], *required: str, **extra: Any) -> type[Strict]:
    """``model`` with every key optional, on every level; containers may say ``extends``."""
    fields: dict[str, Any] = dict(extra)
    for key, kind in get_type_hints(model, include_extras=True).items():
        if key not in model.model_fields:
            continue
        if key in required:
            fields[key] = (kind, Field(description=model.model_fields[key].description))
            continue
        if isinstance(kind, type) and issubclass(kind, Strict):
            more = {"extends": _EXTENDS_BLOCK} if issubclass(kind, Container) else {}
            written: Any = _partial(kind, **more) | None
            if kind is EditorContainer:
                shown = Literal["process"] | written
                written = Annotated[
                    written, BeforeValidator(_editor_word, json_schema_input_type=shown)
                ]
        else:
            written = (SeccompWritten if key == "seccomp" else kind) | None
        told = model.model_fields[key].description
        fields[key] = (written, Field(default=None, description=told))
    return create_model(model.__name__, __base__=Strict, __doc__=model.__doc__, **fields)


Written = _partial(Whole, "version", "name", "description", extends=_EXTENDS)
"""A policy file as a person wrote it: any other key may be left to the parent, none is unknown."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema, draft 2020-12, of a policy file."""
    made = _said(Written.model_json_schema())
    made["properties"]["exceeds"]["propertyNames"] = {"enum": list(SETTINGS)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "A policy of aisci",
        "description": "What containers, ideas and runs may use; what is left out is the parent's.",
    }


def _said(node: Any) -> Any:
    """``node`` without what a file cannot say: a key with no value, a default, a class's name."""
    if isinstance(node, str):
        return node.replace("``", "`")
    if isinstance(node, list):
        return [_said(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _said(one) for key, one in node.items() if key not in {"default", "title"}}
    branches = [one for one in kept.get("anyOf", ()) if one != {"type": "null"}]
    if len(branches) == 1:
        del kept["anyOf"]
        return branches[0] | kept
    return kept | ({"anyOf": branches} if branches else {})
