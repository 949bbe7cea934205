"""The JSON Schema of the journal, made from the classes that write and read its lines.

``scripts/journal-schema.sh`` writes it to ``docs/journal.schema.json``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from orchestrator.record.calls import ANSWER_TYPES, REQUEST_TYPES
from orchestrator.record.events import EVENT
from orchestrator.record.notes import NOTE

_DESCRIPTION = (
    "One line of a run's or an idea's journal.jsonl. Every line has all of its fields, but those "
    "that are not required, which are written only where they say something. The body of "
    "a `noted` line is a `Note`. The body of an `asked` line is the value `PORT.request`, that of "
    "an `answered` line is the value `PORT.answer`; PORT is the line's `port`."
)


class _AsWritten(GenerateJsonSchema):
    """Values in the form of the journal: each with all of its fields that are written, without defaults."""

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: ARG002, FBT001 - pydantic's signature
        return True

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """The class's schema with its docstring, unless the dataclass generated it."""
        made, doc = super().dataclass_schema(schema), schema["cls"].__doc__ or ""
        if not doc.startswith(f"{schema['cls'].__name__}("):
            made["description"] = " ".join(doc.split())
        unwritten = {one.name for one in fields(schema["cls"]) if "unwritten" in one.metadata}
        if unwritten:
            made["required"] = [name for name in made["required"] if name not in unwritten]
        return made


def journal_schema() -> dict[str, Any]:
    """The schema of a line; ``$defs`` also has the notes and each port's requests and answers."""
    values: dict[str, TypeAdapter[Any]] = {"line": EVENT, "Note": NOTE}
    values |= {f"{port}.request": TypeAdapter(kind) for port, kind in REQUEST_TYPES.items()}
    values |= {f"{port}.answer": TypeAdapter(kind) for port, kind in ANSWER_TYPES.items()}
    made, shared = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in values.items()],
        schema_generator=_AsWritten,
    )
    schemas = {name: schema for (name, _), schema in made.items()}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "A line of aisci's journal",
        "description": _DESCRIPTION,
        **schemas.pop("line"),
        "$defs": shared["$defs"] | schemas,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(journal_schema(), indent=1, sort_keys=True) + "\n")
